{{ airbyte_asana.stage('time_periods', {
    'gid': 'text gid',
    'name': 'text display_name',
    'period': 'text period',
    'start_on': 'date start_on',
    'end_on': 'date end_on',
    'parent_gid': 'text parent.gid',
    'workspace_gid': 'text workspace_gid',
}) }}
