"""How long it takes within a building: to get in and up, and to take an AED off its wall.

The medians are volunteers' (docs/walking.md); nobody knows them for a building, so whoever asks
says what sort of place it is.
"""

from enum import StrEnum

PICKUP_S = 60.0  # find the cabinet, open it, come out again
_FLOOR_S = 5.0
_FREE_FLOORS = 3


class Building(StrEnum):
    """What sort of place somebody goes to."""

    OUTDOORS = "outdoors"
    HOUSE = "house"
    FLATS = "flats"


_ENTER_S = {Building.OUTDOORS: 30.0, Building.HOUSE: 78.0, Building.FLATS: 168.0}


def vertical_s(building: Building, floor: int = 0) -> float:
    """Give the seconds from the street to a floor; cellars are below 0."""
    above = floor - _FREE_FLOORS if floor > 0 else -floor
    return _ENTER_S[building] + _FLOOR_S * max(0, above)
