"""The files of records: their names, where they are kept, their downloads."""
