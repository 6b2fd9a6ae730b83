{{ airbyte_asana.stage('roles', {
    'gid': 'text gid',
    'name': 'text name',
    'description': 'text description',
    'is_standard_role': 'boolean is_standard_role',
    'base_role_type': 'text base_role_type',
    'task_deletion_policy': 'text permissions.task_deletion_policy',
    'workspace_gid': 'text workspace.gid',
    'created_at': 'time creation_time',
    'modified_at': 'time modified_at',
}) }}
