"""PURE. Which lots go to which needs: several depots, several needs, at once (docs/stock.md)."""

from dispatch.supply.program import Answer, Flow, Lot, Need, solve

__all__ = ["Answer", "Flow", "Lot", "Need", "solve"]
