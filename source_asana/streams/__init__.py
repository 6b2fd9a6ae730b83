"""The streams: declarations and the shapes of records. Imports nothing of ours."""
