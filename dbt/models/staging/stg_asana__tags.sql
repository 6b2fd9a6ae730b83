{{ airbyte_asana.stage('tags', {
    'gid': 'text gid',
    'name': 'text name',
    'color': 'text color',
    'notes': 'text notes',
    'created_at': 'time created_at',
    'workspace_gid': 'text workspace.gid',
    'permalink_url': 'text permalink_url',
}) }}
