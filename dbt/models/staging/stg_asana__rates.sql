{{ airbyte_asana.stage('rates', {
    'gid': 'text gid',
    'project_gid': 'text parent.gid',
    'resource_gid': 'text resource.gid',
    'resource_name': 'text resource.name',
    'resource_type': 'text resource.resource_type',
    'rate': 'number rate',
    'currency_code': 'text currency_code',
    'created_by_gid': 'text created_by.gid',
}) }}
