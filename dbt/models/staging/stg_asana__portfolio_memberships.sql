{{ airbyte_asana.stage('portfolio_memberships', {
    'gid': 'text gid',
    'portfolio_gid': 'text parent.gid',
    'portfolio_name': 'text parent.name',
    'member_gid': 'text member.gid',
    'member_name': 'text member.name',
    'member_type': 'text member.resource_type',
    'access_level': 'text access_level',
}) }}
