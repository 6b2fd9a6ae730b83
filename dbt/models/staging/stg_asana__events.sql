{{ airbyte_asana.stage('events', {
    'event_id': 'text event_id',
    'created_at': 'time created_at',
    'action': 'text action',
    'user_gid': 'text user.gid',
    'resource_gid': 'text resource.gid',
    'resource_type': 'text resource.resource_type',
    'resource_name': 'text resource.name',
    'parent_gid': 'text parent.gid',
    'changed_field': 'text change.field',
    'change_action': 'text change.action',
}) }}
