"""Simulated phones that play exercises against a running system and judge it.

They speak only the public HTTP and WebSocket interface. Each keeps its own journal; the verdict
compares the journals with a read-only look at the database.
"""
