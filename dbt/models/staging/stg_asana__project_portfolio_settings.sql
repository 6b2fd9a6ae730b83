{{ airbyte_asana.stage('project_portfolio_settings', {
    'gid': 'text gid',
    'project_gid': 'text project.gid',
    'portfolio_gid': 'text portfolio.gid',
    'is_access_control_inherited': 'boolean is_access_control_inherited',
    'created_at': 'time created_at',
}) }}
