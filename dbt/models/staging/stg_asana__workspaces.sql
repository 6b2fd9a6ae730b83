{{ airbyte_asana.stage('workspaces', {
    'gid': 'text gid',
    'name': 'text name',
    'is_organization': 'boolean is_organization',
    'email_domains': 'json email_domains',
}) }}
