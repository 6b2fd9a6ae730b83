{{ airbyte_asana.stage('ooo_entries', {
    'gid': 'text gid',
    'user_gid': 'text user.gid',
    'user_name': 'text user.name',
    'start_date': 'date start_date',
    'end_date': 'date end_date',
    'created_by_gid': 'text created_by.gid',
}) }}
