{{ airbyte_asana.stage('budgets', {
    'gid': 'text gid',
    'project_gid': 'text parent.gid',
    'project_name': 'text parent.name',
    'budget_type': 'text budget_type',
    'estimate': 'number estimate.value',
    'actual': 'number actual.value',
    'total': 'number total.value',
    'units': 'text actual.units',
    'is_total_enabled': 'boolean total.enabled',
}) }}
