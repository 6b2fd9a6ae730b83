{{ airbyte_asana.stage('users', {
    'gid': 'text gid',
    'name': 'text name',
    'email': 'text email',
    'workspaces': 'json workspaces',
    'custom_fields': 'json custom_fields',
}) }}
