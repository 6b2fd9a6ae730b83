{{ airbyte_asana.stage('custom_types', {
    'gid': 'text gid',
    'name': 'text name',
    'status_options': 'json status_options',
}) }}
