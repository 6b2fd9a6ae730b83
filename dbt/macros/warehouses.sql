{#
  What differs between warehouses. JSON is json in DuckDB and BigQuery, jsonb in PostgreSQL, variant
  in Snowflake and string in Databricks. A column that holds it as text is parsed.
#}

{% macro type_json() -%} {{ return(adapter.dispatch('type_json', 'airbyte_asana')()) }} {%- endmacro %}
{% macro default__type_json() -%} json {%- endmacro %}
{% macro postgres__type_json() -%} jsonb {%- endmacro %}
{% macro snowflake__type_json() -%} variant {%- endmacro %}
{% macro databricks__type_json() -%} string {%- endmacro %}


{# A number with a fraction. #}
{% macro type_number() -%} {{ return(adapter.dispatch('type_number', 'airbyte_asana')()) }} {%- endmacro %}
{% macro default__type_number() -%} {{ dbt.type_float() }} {%- endmacro %}
{% macro duckdb__type_number() -%} double {%- endmacro %}
{% macro databricks__type_number() -%} double {%- endmacro %}


{# A name as the warehouse stores it, quoted: Airbyte writes capitals into Snowflake. #}
{% macro quoted_as_stored(name) -%} {{ return(adapter.dispatch('quoted_as_stored', 'airbyte_asana')(name)) }} {%- endmacro %}
{% macro default__quoted_as_stored(name) -%} {{ return(adapter.quote(name)) }} {%- endmacro %}
{% macro snowflake__quoted_as_stored(name) -%} {{ return(adapter.quote(name | upper)) }} {%- endmacro %}


{# A column of the given type as the warehouse's JSON. #}
{% macro as_json(value, type) -%} {{ return(adapter.dispatch('as_json', 'airbyte_asana')(value, type)) }} {%- endmacro %}
{% macro default__as_json(value, type) -%} cast({{ value }} as {{ airbyte_asana.type_json() }}) {%- endmacro %}
{% macro snowflake__as_json(value, type) -%}
  {%- if airbyte_asana.is_text(type) -%} parse_json({{ value }}) {%- else -%} to_variant({{ value }}) {%- endif -%}
{%- endmacro %}
{% macro bigquery__as_json(value, type) -%}
  {%- if type == 'json' -%} {{ value }}
  {%- elif airbyte_asana.is_text(type) -%} parse_json({{ value }}, wide_number_mode => 'round')
  {%- else -%} to_json({{ value }})
  {%- endif -%}
{%- endmacro %}
{% macro databricks__as_json(value, type) -%}
  {%- if airbyte_asana.is_text(type) or type == 'json' -%} {{ value }} {%- else -%} to_json({{ value }}) {%- endif -%}
{%- endmacro %}

{% macro is_text(type) -%}
  {{ return('char' in type or 'text' in type or 'string' in type) }}
{%- endmacro %}


{# The text at a path in JSON: 'parent.gid'. Null where there is nothing. #}
{% macro json_text(json, path) -%} {{ return(adapter.dispatch('json_text', 'airbyte_asana')(json, path)) }} {%- endmacro %}
{% macro default__json_text(json, path) -%} ({{ json }} ->> '$.{{ path }}') {%- endmacro %}
{% macro postgres__json_text(json, path) -%} ({{ json }} #>> '{{ '{' ~ path | replace('.', ',') ~ '}' }}') {%- endmacro %}
{% macro snowflake__json_text(json, path) -%} cast(get_path({{ json }}, '{{ path }}') as varchar) {%- endmacro %}
{% macro bigquery__json_text(json, path) -%} json_value({{ json }}, '$.{{ path }}') {%- endmacro %}
{% macro databricks__json_text(json, path) -%} get_json_object({{ json }}, '$.{{ path }}') {%- endmacro %}


{# A value at a path in JSON, as one of the types of `typed`. #}
{% macro json_value(json, path, type='text') -%}
  {{ airbyte_asana.typed(airbyte_asana.json_text(json, path), 'text', type) }}
{%- endmacro %}


{# A row for each element of a JSON array: the columns `keep` of the relation, and `element`. #}
{% macro elements(relation, json, keep) -%}
  {{ return(adapter.dispatch('elements', 'airbyte_asana')(relation, json, keep)) }}
{%- endmacro %}
{% macro default__elements(relation, json, keep) -%}
  select {{ keep | join(', ') }}, unnest(cast({{ json }} as json[])) as element from {{ relation }}
{%- endmacro %}
{% macro postgres__elements(relation, json, keep) -%}
  select {{ keep | join(', ') }}, array_rows.element
  from {{ relation }}
  cross join jsonb_array_elements(
    case when jsonb_typeof({{ json }}) = 'array' then {{ json }} else '[]' end
  ) as array_rows (element)
{%- endmacro %}
{% macro snowflake__elements(relation, json, keep) -%}
  select {{ keep | join(', ') }}, array_rows.value as element
  from {{ relation }}, lateral flatten(input => {{ json }}) as array_rows
{%- endmacro %}
{% macro bigquery__elements(relation, json, keep) -%}
  select {{ keep | join(', ') }}, element
  from {{ relation }} cross join unnest(json_query_array({{ json }})) as element
{%- endmacro %}
{% macro databricks__elements(relation, json, keep) -%}
  select {{ keep | join(', ') }}, element
  from {{ relation }} lateral view explode(from_json({{ json }}, 'array<string>')) array_rows as element
{%- endmacro %}


{# A time in UTC, without a time zone where the warehouse tells the two apart. #}
{% macro as_utc(value, type) -%} {{ return(adapter.dispatch('as_utc', 'airbyte_asana')(value, type)) }} {%- endmacro %}
{% macro default__as_utc(value, type) -%} cast({{ value }} as {{ dbt.type_timestamp() }}) {%- endmacro %}
{% macro duckdb__as_utc(value, type) -%} {{ airbyte_asana.postgres__as_utc(value, type) }} {%- endmacro %}
{% macro postgres__as_utc(value, type) -%}
  {%- if airbyte_asana.has_time_zone(type) or airbyte_asana.is_text(type) -%}
    cast({{ value }} as timestamp with time zone) at time zone 'UTC'
  {%- else -%} cast({{ value }} as timestamp)
  {%- endif -%}
{%- endmacro %}
{% macro snowflake__as_utc(value, type) -%}
  {%- if airbyte_asana.has_time_zone(type) or airbyte_asana.is_text(type) -%}
    cast(convert_timezone('UTC', cast({{ value }} as timestamp_tz)) as timestamp_ntz)
  {%- else -%} cast({{ value }} as timestamp_ntz)
  {%- endif -%}
{%- endmacro %}

{% macro has_time_zone(type) -%}
  {{ return('with time zone' in type or 'timestamptz' in type or '_tz' in type or '_ltz' in type) }}
{%- endmacro %}


{# The texts of a group, in their order, with commas between them. #}
{% macro listed(column) -%} {{ return(adapter.dispatch('listed', 'airbyte_asana')(column)) }} {%- endmacro %}
{% macro default__listed(column) -%} {{ dbt.listagg(column, "', '", 'order by ' ~ column) }} {%- endmacro %}
{% macro databricks__listed(column) -%} array_join(array_sort(collect_list({{ column }})), ', ') {%- endmacro %}


{# Today in UTC. #}
{% macro today() -%} {{ return(adapter.dispatch('today', 'airbyte_asana')()) }} {%- endmacro %}
{% macro default__today() -%} cast(current_timestamp at time zone 'UTC' as date) {%- endmacro %}
{% macro snowflake__today() -%} cast(convert_timezone('UTC', current_timestamp()) as date) {%- endmacro %}
{% macro bigquery__today() -%} current_date('UTC') {%- endmacro %}
{% macro databricks__today() -%} cast(to_utc_timestamp(current_timestamp(), current_timezone()) as date) {%- endmacro %}
