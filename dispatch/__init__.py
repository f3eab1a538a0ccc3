"""The work of a dispatch centre: rules, writes and reads.

Promises: an accepted request is stored before it is answered; nobody is asked twice for the same
incident or by two incidents at once; every step is on the record; a timer fires once, whoever is
alive. Rules (`states`, `matching`, `escalation`, `fefo`) are pure. Every write is an action: lock,
check, decide, write, tell.
"""
