{{ airbyte_asana.stage('organization_exports', {
    'gid': 'text gid',
    'created_at': 'time created_at',
    'state': 'text state',
    'organization_gid': 'text organization.gid',
}) }}
