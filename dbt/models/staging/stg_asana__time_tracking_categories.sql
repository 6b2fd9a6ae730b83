{{ airbyte_asana.stage('time_tracking_categories', {
    'gid': 'text gid',
    'name': 'text name',
    'color': 'text color',
    'is_archived': 'boolean is_archived',
    'workspace_gid': 'text workspace_gid',
}) }}
