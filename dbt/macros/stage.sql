{#
  The rows of a stream that were not deleted, with typed columns.

  `streams`: the stream, or several of which the first that has a table is read.
  `columns`: each column's name, with its type and where the value comes from: 'text assignee.gid'.
  A column of the table or a whole table may be missing, because a connection need not select
  everything: the values are then null, and the view is empty.
#}
{% macro stage(streams, columns) -%}
  {%- set table = airbyte_asana.first_table(streams) -%}
  {%- set deleted_at = airbyte_asana.column_of(table, '_ab_cdc_deleted_at', 'time') -%}
  select
  {%- for name, described in columns.items() %}
    {{ airbyte_asana.value_of(described, table) }} as {{ name }},
  {%- endfor %}
    {{ airbyte_asana.value_of('time _airbyte_extracted_at', table) }} as extracted_at
  {{ airbyte_asana.from_table(table) }}
  {%- if deleted_at %} and {{ deleted_at.quoted }} is null {%- endif %}
{%- endmacro %}


{# The tombstones of a stream: rows with the time at which the record was deleted. #}
{% macro tombstones(kind, streams) -%}
  {%- set table = airbyte_asana.first_table(streams) -%}
  {%- set deleted_at = airbyte_asana.column_of(table, '_ab_cdc_deleted_at', 'time') -%}
  select
    cast('{{ kind }}' as {{ dbt.type_string() }}) as kind,
    {{ airbyte_asana.value_of('text gid', table) }} as gid,
    {{ airbyte_asana.value_of('text text' if kind == 'story' else 'text name', table) }} as name,
    {{ airbyte_asana.value_of('time _ab_cdc_deleted_at', table) }} as deleted_at,
    {{ airbyte_asana.value_of('time _airbyte_extracted_at', table) }} as extracted_at
  {{ airbyte_asana.from_table(table) }} and {{ deleted_at.quoted if deleted_at else 'null' }} is not null
{%- endmacro %}


{# The table, or no row at all where there is none; further conditions follow with `and`. #}
{% macro from_table(table) -%}
  from {{ table.relation or '(select 1 as nothing) as no_such_table' }}
  where {{ '1 = 1' if table.relation else '1 = 0' }}
{%- endmacro %}


{#
  The first of some streams that has a table: its relation, and its columns by lower-case name, each
  with its quoted name and its type. Without introspection every stream has a table.
#}
{% macro first_table(streams) -%}
  {%- set found = namespace(relation=none, columns={}) -%}
  {%- for stream in ([streams] if streams is string else streams) -%}
    {%- set relation = source('airbyte_asana', stream) -%}
    {%- if not execute or found.relation -%}
    {%- elif not flags.INTROSPECT -%}
      {%- set found.relation = relation -%}
    {%- elif adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
      {%- set found.relation = relation -%}
      {%- for column in adapter.get_columns_in_relation(relation) -%}
        {%- do found.columns.update({
            column.name | lower: {'quoted': adapter.quote(column.name), 'type': column.dtype | lower}
        }) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return({'relation': found.relation, 'columns': found.columns}) }}
{%- endmacro %}


{#
  A column of such a table, or nothing. `kind`: what it holds, as in `type_of`. Without introspection
  the table has every column, of the type that Airbyte gives it.
#}
{% macro column_of(table, name, kind) -%}
  {%- if table.relation and not flags.INTROSPECT -%}
    {%- set type = 'timestamp with time zone' if kind == 'time' else kind -%}
    {{ return({'quoted': airbyte_asana.quoted_as_stored(name), 'type': type}) }}
  {%- endif -%}
  {{ return(table.columns.get(name)) }}
{%- endmacro %}


{# The value that 'kind column' or 'kind column.path.in.json' describes, as SQL. #}
{% macro value_of(described, table) -%}
  {%- set kind, place = described.split(' ') -%}
  {%- set name, _, path = place.partition('.') -%}
  {%- set column = airbyte_asana.column_of(table, name, 'json' if path else kind) -%}
  {%- if not column -%}
    cast(null as {{ airbyte_asana.type_of(kind) }})
  {%- elif path -%}
    {{ airbyte_asana.json_value(airbyte_asana.as_json(column.quoted, column.type), path, kind) }}
  {%- else -%}
    {{ airbyte_asana.typed(column.quoted, column.type, kind) }}
  {%- endif -%}
{%- endmacro %}


{# A value of one type as another: text, integer, number, boolean, date, time (in UTC) or json. #}
{% macro typed(value, from, to) -%}
  {%- if to == 'json' -%} {{ airbyte_asana.as_json(value, from) }}
  {%- elif to == 'time' -%} {{ airbyte_asana.as_utc(value, from) }}
  {%- else -%} cast({{ value }} as {{ airbyte_asana.type_of(to) }})
  {%- endif -%}
{%- endmacro %}


{% macro type_of(type) -%}
  {%- if type == 'text' -%} {{ dbt.type_string() }}
  {%- elif type == 'integer' -%} {{ dbt.type_bigint() }}
  {%- elif type == 'number' -%} {{ airbyte_asana.type_number() }}
  {%- elif type == 'boolean' -%} {{ dbt.type_boolean() }}
  {%- elif type == 'date' -%} date
  {%- elif type == 'time' -%} {{ dbt.type_timestamp() }}
  {%- elif type == 'json' -%} {{ airbyte_asana.type_json() }}
  {%- else -%} {{ exceptions.raise_compiler_error('No such type: ' ~ type) }}
  {%- endif -%}
{%- endmacro %}
