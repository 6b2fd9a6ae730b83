{{ airbyte_asana.stage('project_briefs', {
    'gid': 'text gid',
    'title': 'text title',
    'text': 'text text',
    'project_gid': 'text project.gid',
    'permalink_url': 'text permalink_url',
}) }}
