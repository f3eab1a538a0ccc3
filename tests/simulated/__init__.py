"""Deterministic simulation: the live log's own code in a world of ours, replayed from a seed."""
