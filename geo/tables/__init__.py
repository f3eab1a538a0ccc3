"""The tables that geo owns, as SQLAlchemy Core: `tables.dataset`, `tables.aed`, …

Points are `geography(Point, 4326)`; only the drawn base map is in web Mercator (3857).
Spatial indexes are named here, never made by GeoAlchemy2, so that partial ones are visible.
"""

from geo.tables.aeds import (
    aed,
    aed_change,
    aed_check,
    aed_code,
    aed_custodian,
    aed_history,
    aed_listed,
    aed_photo,
    aed_reminder,
    aed_report,
    aed_use,
)
from geo.tables.city import address, base_feature, dataset, demand_point, facility
from geo.tables.column import metadata

__all__ = [
    "address",
    "aed",
    "aed_change",
    "aed_check",
    "aed_code",
    "aed_custodian",
    "aed_history",
    "aed_listed",
    "aed_photo",
    "aed_reminder",
    "aed_report",
    "aed_use",
    "base_feature",
    "dataset",
    "demand_point",
    "facility",
    "metadata",
]
