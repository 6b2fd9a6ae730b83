"""Telling Airbyte about a sync: records, states, statuses, errors, the log."""
