"""The edge: HTTP and WebSocket in front, the `golden` program, and the pages.

What is decided about people (who are you, may you) is decided here, in `auth` and `rights`; what is
decided about incidents is not. A route takes at most two hops to SQL.
"""
