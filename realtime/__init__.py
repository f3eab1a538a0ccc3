"""Topics, numbers and connections: how every screen comes to know what has happened.

The promise. An event is appended in the transaction that changes the state it tells of, and gets
the next number of its topic there; so numbers have no gaps and follow the order of commits. A
client that remembers (epoch, seq) per topic gets, after any absence, exactly the events that it
has not had, or a fresh snapshot where that can no longer be promised; never a silent gap.

PostgreSQL holds the truth. Redis carries hints and positions, and may be lost at any moment:
every process looks for itself once a second. This package knows nothing of incidents or of
settings; it is given `conn`, `redis` and plain values.
"""
