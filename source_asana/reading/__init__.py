"""Deciding what a sync asks Asana for, and asking it."""
