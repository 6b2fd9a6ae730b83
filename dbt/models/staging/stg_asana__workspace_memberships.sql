{{ airbyte_asana.stage('workspace_memberships', {
    'gid': 'text gid',
    'workspace_gid': 'text workspace.gid',
    'workspace_name': 'text workspace.name',
    'user_gid': 'text user.gid',
    'user_name': 'text user.name',
    'is_active': 'boolean is_active',
    'is_admin': 'boolean is_admin',
    'is_guest': 'boolean is_guest',
    'is_view_only': 'boolean is_view_only',
    'created_at': 'time created_at',
}) }}
