{{ airbyte_asana.stage('project_memberships', {
    'gid': 'text gid',
    'project_gid': 'text parent.gid',
    'project_name': 'text parent.name',
    'member_gid': 'text member.gid',
    'member_name': 'text member.name',
    'member_type': 'text member.resource_type',
    'access_level': 'text access_level',
}) }}
