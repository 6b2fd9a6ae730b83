{{ airbyte_asana.stage('teams', {
    'gid': 'text gid',
    'name': 'text name',
    'description': 'text description',
    'visibility': 'text visibility',
    'is_endorsed': 'boolean endorsed',
    'organization_gid': 'text organization.gid',
    'permalink_url': 'text permalink_url',
}) }}
