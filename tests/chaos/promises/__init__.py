"""What docs/reliability.md promises, each with its figures, measured by one command each."""
