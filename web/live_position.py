"""Where one phone says that it is, taken over from what it sent."""

from __future__ import annotations

from dispatch import store
from geo import datum, position
from realtime import protocol


def read(message: protocol.Position) -> store.Fix:
    """Take over what a phone said. Raises ValueError for a place or a datum that is none."""
    place = position.Position(message.lon, message.lat)
    if message.crs != datum.Crs.WGS84:
        shifted = datum.to_wgs84(place.lon, place.lat, datum.Crs(message.crs))
        place = position.Position(*shifted)
    return store.Fix(place, message.at, message.accuracy_m)
