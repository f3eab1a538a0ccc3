"""The fault harness: a whole system under seeded faults, its history, and its judge."""
