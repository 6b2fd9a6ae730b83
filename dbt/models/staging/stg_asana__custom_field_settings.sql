{{ airbyte_asana.stage('custom_field_settings', {
    'gid': 'text gid',
    'parent_gid': 'text parent.gid',
    'parent_type': 'text parent.resource_type',
    'custom_field_gid': 'text custom_field.gid',
    'custom_field_name': 'text custom_field.name',
    'is_important': 'boolean is_important',
}) }}
