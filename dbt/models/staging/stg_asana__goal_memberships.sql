{{ airbyte_asana.stage('goal_memberships', {
    'gid': 'text gid',
    'goal_gid': 'text parent.gid',
    'goal_name': 'text parent.name',
    'member_gid': 'text member.gid',
    'member_name': 'text member.name',
    'member_type': 'text member.resource_type',
    'access_level': 'text access_level',
}) }}
