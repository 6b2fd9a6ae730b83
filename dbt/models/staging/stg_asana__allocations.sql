{{ airbyte_asana.stage('allocations', {
    'gid': 'text gid',
    'project_gid': 'text parent.gid',
    'project_name': 'text parent.name',
    'assignee_gid': 'text assignee.gid',
    'assignee_name': 'text assignee.name',
    'start_on': 'date start_date',
    'end_on': 'date end_date',
    'effort_type': 'text effort.type',
    'effort': 'number effort.value',
}) }}
