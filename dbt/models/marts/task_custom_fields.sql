select *
from {{ ref('int_asana__custom_field_values') }}
where display_value is not null and display_value <> ''
