{{ airbyte_asana.stage('team_memberships', {
    'gid': 'text gid',
    'team_gid': 'text team.gid',
    'team_name': 'text team.name',
    'user_gid': 'text user.gid',
    'user_name': 'text user.name',
    'is_admin': 'boolean is_admin',
    'is_guest': 'boolean is_guest',
    'has_limited_access': 'boolean is_limited_access',
}) }}
