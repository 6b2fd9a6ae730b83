{{ airbyte_asana.stage('timesheet_approval_statuses', {
    'gid': 'text gid',
    'user_gid': 'text user.gid',
    'user_name': 'text user.name',
    'workspace_gid': 'text workspace.gid',
    'start_date': 'date start_date',
    'end_date': 'date end_date',
    'approval_status': 'text approval_status',
    'created_at': 'time created_at',
}) }}
