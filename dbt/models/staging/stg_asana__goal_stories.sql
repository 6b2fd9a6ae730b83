{{ airbyte_asana.stage('goal_stories', {
    'gid': 'text gid',
    'type': 'text type',
    'subtype': 'text resource_subtype',
    'text': 'text text',
    'created_at': 'time created_at',
    'created_by_gid': 'text created_by.gid',
    'created_by_name': 'text created_by.name',
    'goal_gid': 'text target.gid',
}) }}
