{{ airbyte_asana.stage('user_task_lists', {
    'gid': 'text gid',
    'name': 'text name',
    'owner_gid': 'text owner.gid',
    'workspace_gid': 'text workspace.gid',
}) }}
