"""Records of tasks that come from the export of a workspace instead of a request for each task."""
