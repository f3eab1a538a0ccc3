"""Travel times from many places to many others."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from fastapi import APIRouter, Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from geo import routing
from geo.routing import Mode
from web import fields, rights
from web.dependencies import Caller, Crs, Http, Network, Settings

router = APIRouter(prefix="/matrix", tags=["places"])

MOST_PAIRS = 100_000

Places = Annotated[list[fields.Place], Field(min_length=1, max_length=10_000)]


class MatrixBody(fields.Body):
    """From where to where, and how; at most 100,000 pairs."""

    sources: Places
    targets: Places
    mode: Annotated[Mode, fields.Lax] = Mode.WALK
    within_s: Annotated[float, Field(gt=0, le=7200)] = 900.0
    speed_mps: Annotated[float | None, Field(ge=0.3, le=5)] = None
    crs: fields.Crs = None

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        pairs = len(self.sources) * len(self.targets)
        if pairs > MOST_PAIRS:
            limits = {"pairs": pairs, "most": MOST_PAIRS}
            raise PydanticCustomError("too_many_pairs", "too many pairs", limits)
        return self


class MatrixShape(fields.Shape):
    """A row for each source, an entry for each target: seconds, null beyond `within_s`.

    `estimated` says the same way which of them are guesses by the straight line.
    """

    travel_s: list[list[float | None]]
    estimated: list[list[bool]]
    mode: str
    within_s: float


@router.post("", response_model=MatrixShape, summary="Travel times, many to many")
async def show(
    *,
    caller: Caller,
    http: Http,
    settings: Settings,
    network: Network,
    crs: Crs,
    body: MatrixBody,
) -> Response:
    """Measure travel times from every source to every target. Changes nothing."""
    rights.reach(caller, rights.Action.ROUTE_SEE)
    seconds, is_guess = await routing.matrix(
        http,
        settings.valhalla_url or None,
        [fields.inward(place, body.crs, crs) for place in body.sources],
        [fields.inward(place, body.crs, crs) for place in body.targets],
        mode=body.mode,
        network=network,
        within_s=body.within_s,
        speed_mps=body.speed_mps if body.mode in routing.ON_FOOT else None,
    )
    rows = np.round(seconds, 1)
    return fields.send(
        {
            # JSON has no nan: the writer makes it null.
            "travel_s": rows.tolist(),
            "estimated": (is_guess & ~np.isnan(rows)).tolist(),
            "mode": body.mode,
            "within_s": body.within_s,
        }
    )
