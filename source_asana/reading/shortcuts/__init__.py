"""Requests that are left out because of what Asana says elsewhere, and the proof that it holds."""
