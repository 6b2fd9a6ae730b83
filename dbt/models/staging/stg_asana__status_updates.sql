{{ airbyte_asana.stage('status_updates', {
    'gid': 'text gid',
    'type': 'text resource_subtype',
    'title': 'text title',
    'text': 'text text',
    'status_type': 'text status_type',
    'created_at': 'time created_at',
    'author_gid': 'text author.gid',
    'author_name': 'text author.name',
    'parent_gid': 'text parent.gid',
    'parent_type': 'text parent.resource_type',
    'parent_name': 'text parent.name',
    'likes': 'integer num_likes',
}) }}
