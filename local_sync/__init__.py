"""`make sync`: an Asana account in a DuckDB file, read with PyAirbyte."""
