"""`make sync`: an Asana account in a DuckDB file or a PostgreSQL database."""
