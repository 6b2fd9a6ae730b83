{{ airbyte_asana.stage('portfolio_items', {
    'portfolio_gid': 'text portfolio_gid',
    'gid': 'text gid',
    'type': 'text resource_type',
    'name': 'text name',
}) }}
