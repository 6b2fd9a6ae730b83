{{ airbyte_asana.stage('goal_relationships', {
    'gid': 'text gid',
    'type': 'text resource_subtype',
    'supporting_gid': 'text supporting_resource.gid',
    'supporting_type': 'text supporting_resource.resource_type',
    'supporting_name': 'text supporting_resource.name',
    'supported_goal_gid': 'text supported_goal.gid',
    'contribution_weight': 'number contribution_weight',
}) }}
