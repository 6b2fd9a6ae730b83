-- What tasks hold in their custom fields, one row for each field, with or without a value.
with fields as (
    {{ airbyte_asana.elements(ref('int_asana__tasks'), 'custom_fields', ['gid']) }}
)

select
    gid as task_gid,
    {{ airbyte_asana.json_value('element', 'gid') }} as field_gid,
    {{ airbyte_asana.json_value('element', 'name') }} as field_name,
    {{ airbyte_asana.json_value('element', 'resource_subtype') }} as field_type,
    {{ airbyte_asana.json_value('element', 'asana_created_field') }} as asana_created_field,
    {{ airbyte_asana.json_value('element', 'is_formula_field', 'boolean') }} as is_formula,
    {{ airbyte_asana.json_value('element', 'display_value') }} as display_value,
    {{ airbyte_asana.json_value('element', 'text_value') }} as text_value,
    {{ airbyte_asana.json_value('element', 'number_value', 'number') }} as number_value,
    {{ airbyte_asana.json_value('element', 'date_value.date', 'date') }} as date_value,
    {{ airbyte_asana.json_value('element', 'date_value.date_time', 'time') }} as time_value,
    {{ airbyte_asana.json_value('element', 'enum_value.gid') }} as option_gid,
    {{ airbyte_asana.json_value('element', 'enum_value.name') }} as option_name,
    {{ airbyte_asana.json_value('element', 'currency_code') }} as currency_code
from fields
