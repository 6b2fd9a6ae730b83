{{ airbyte_asana.stage('project_templates', {
    'gid': 'text gid',
    'name': 'text name',
    'description': 'text description',
    'owner_gid': 'text owner.gid',
    'team_gid': 'text team.gid',
    'workspace_gid': 'text workspace_gid',
}) }}
