{{ airbyte_asana.stage('portfolios_memberships', {
    'gid': 'text gid',
    'portfolio_gid': 'text portfolio.gid',
    'portfolio_name': 'text portfolio.name',
    'member_gid': 'text user.gid',
    'member_name': 'text user.name',
    'access_level': 'text access_level',
}) }}
