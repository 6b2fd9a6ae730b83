{{ airbyte_asana.stage(['attachments', 'attachments_compact'], {
    'gid': 'text gid',
    'name': 'text name',
    'created_at': 'time created_at',
    'parent_gid': 'text parent.gid',
    'parent_type': 'text parent.resource_type',
    'host': 'text host',
    'size_bytes': 'integer size',
    'permanent_url': 'text permanent_url',
    'view_url': 'text view_url',
}) }}
