{{ airbyte_asana.stage('subtasks', airbyte_asana.task_columns()) }}
