"""Doubles of gateways: real HTTP servers on this machine that speak the documented protocols.

Each verifies signatures with code of its own and refuses what the real one would refuse.
"""
