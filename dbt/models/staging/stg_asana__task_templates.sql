{{ airbyte_asana.stage('task_templates', {
    'gid': 'text gid',
    'name': 'text name',
    'project_gid': 'text project.gid',
    'created_at': 'time created_at',
    'created_by_gid': 'text created_by.gid',
}) }}
