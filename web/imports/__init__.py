"""Lists that people keep in sheets: reading them, knowing their columns, saying what is wrong."""
