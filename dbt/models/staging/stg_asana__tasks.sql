{{ airbyte_asana.stage('tasks', airbyte_asana.task_columns()) }}
