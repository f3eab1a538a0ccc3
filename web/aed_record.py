"""What may be said of an AED and what is shown of it: the body of a change, and the shapes."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from geo import aeds, datum, usability
from geo.usability import Access, Status
from web import fields


def _hours(text: str) -> str:
    """Refuse hours that nobody could evaluate later."""
    if not usability.is_readable(text):
        raise ValueError("must be OpenStreetMap opening_hours such as Mo-Fr 08:00-18:00")
    return text


Hours = Annotated[fields.Word, AfterValidator(_hours)]
Metres = Annotated[float, Field(ge=0, le=100_000)]
Method = Literal["survey", "gps", "map", "geocode", "import", "carrier"]

_NEVER_EMPTY = {"name", "position", "access", "cabinet", "status"}


class AedFacts(fields.Body):
    """What may be said about a device; everything optional, as a change says only what changed."""

    name: fields.Name | None = None
    address: fields.Word | None = None
    floor: fields.Word | None = None
    entrance: fields.Word | None = None
    location_note: fields.Text | None = None
    indoor: bool | None = None
    phone: fields.Word | None = Field(None, description="Of the site, for everybody.")
    position: fields.Place | None = None
    accuracy_m: Metres | None = None
    position_method: Method | None = None
    access: Annotated[Access, fields.Lax] | None = None
    hours: Hours | None = None
    hours_note: fields.Text | None = None
    closed_from: fields.At | None = Field(None, description="Beginning of a temporary closure.")
    closed_until: fields.At | None = None
    closed_note: fields.Text | None = None
    cabinet: Annotated[aeds.Cabinet, fields.Lax] | None = None
    brand: fields.Word | None = None
    model: fields.Word | None = None
    serial: fields.Word | None = None
    pads_expire_on: fields.Day | None = Field(None, description="The adult pads' last day.")
    child_pads_expire_on: fields.Day | None = None
    has_child_pads: bool | None = None
    battery_expires_on: fields.Day | None = None
    installed_on: fields.Day | None = None
    acquired: Literal["purchase", "donation", "lease"] | None = None
    donor: fields.Word | None = None
    carrier: fields.Word | None = Field(None, description="The vehicle with which it travels.")
    check_every_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    status: Annotated[Status, fields.Lax] | None = None
    verified_at: fields.At | None = None
    crs: fields.Crs = None

    @model_validator(mode="after")
    def _not_emptied(self) -> Self:
        emptied = [n for n in _NEVER_EMPTY & self.model_fields_set if getattr(self, n) is None]
        if emptied:
            raise ValueError(f"{emptied[0]} cannot be null")
        return self

    @model_validator(mode="after")
    def _closes_forwards(self) -> Self:
        begins, ends = self.closed_from, self.closed_until
        if begins is not None and ends is not None and ends <= begins:
            raise ValueError("closed_until must be later than closed_from")
        return self

    def columns(self, crs: datum.Crs) -> dict[str, Any]:
        """Give what was said as values of the registry.

        The position becomes WGS-84; what was sent, and in which system, is kept beside it. What
        is known of the accuracy of a former place does not hold for a new one.
        """
        said = self.model_fields_set - {"crs", "org"}
        values = {name: getattr(self, name) for name in said}
        if self.position is not None:
            values |= located(fields.Sent(self.position, self.crs or crs))
            values |= {"accuracy_m": self.accuracy_m, "position_method": self.position_method}
        return values


def located(sent: fields.Sent) -> dict[str, Any]:
    """Give the columns of a place: in WGS-84, and as it was sent."""
    return {
        "position": sent.wgs84,
        "source_crs": sent.crs.value,
        "raw_lon": sent.position.lon,
        "raw_lat": sent.position.lat,
    }


class NewAed(AedFacts):
    """A device to be entered; without `org` it belongs to the caller's organisation."""

    name: fields.Name
    position: fields.Place
    org: fields.Code | None = None


class PublicAedShape(fields.Shape):
    """What everybody may know of a device, and whether it is usable now (or at `at`)."""

    id: str
    name: str
    address: str | None
    floor: str | None
    entrance: str | None
    location_note: str | None
    indoor: bool | None
    phone: str | None
    position: fields.PointShape
    access: str
    cabinet: str
    hours: str | None
    hours_note: str | None
    closed_from: str | None
    closed_until: str | None
    closed_note: str | None
    has_child_pads: bool | None
    carrier: str | None
    status: str
    trust: str
    is_invented: bool
    verified_at: str | None
    usable: str
    usable_reason: str
    usable_until: str | None


class AedShape(PublicAedShape):
    """A device as its own organisation sees it."""

    org: str
    source_crs: str
    raw_lon: float | None
    raw_lat: float | None
    accuracy_m: float | None
    position_method: str | None
    time_zone: str
    brand: str | None
    model: str | None
    serial: str | None
    pads_expire_on: str | None
    child_pads_expire_on: str | None
    battery_expires_on: str | None
    installed_on: str | None
    acquired: str | None
    donor: str | None
    moved_at: str | None
    check_every_days: int | None
    check_due_at: str | None
    suspect_since: str | None
    taken_at: str | None
    source: str
    source_ref: str | None
    created_at: str
    updated_at: str
    version: int


class PhotoShape(fields.Shape):
    """A photo; its JPEG is at /aeds/{id}/photos/{photo}."""

    id: str
    kind: str
    width: int
    height: int


class PublicDetailShape(PublicAedShape):
    """One device with its photos, as everybody sees it."""

    photos: list[PhotoShape]
    crs: str


class DetailShape(AedShape):
    """One device with its photos, as its own organisation sees it."""

    photos: list[PhotoShape]
    has_code: bool = Field(description="Whether the code of its lock is kept here.")
    crs: str


class PublicAedsShape(fields.Shape):
    """A page of devices."""

    items: list[PublicAedShape]
    next_cursor: str | None
    crs: str


class AedsShape(fields.Shape):
    """A page of devices of one's own organisations."""

    items: list[AedShape]
    next_cursor: str | None
    crs: str
