{{ airbyte_asana.stage(['sections', 'sections_compact'], {
    'gid': 'text gid',
    'name': 'text name',
    'created_at': 'time created_at',
    'project_gid': 'text project.gid',
    'project_name': 'text project.name',
}) }}
