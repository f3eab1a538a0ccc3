"""The routes under /api/v1, one module per noun; request and answer shapes stand on top of each."""

from __future__ import annotations

from fastapi import APIRouter

from web.api import (
    aed_checks,
    aed_custodians,
    aed_photos,
    aed_reports,
    aed_uses,
    aeds,
    alerting,
    alerts,
    assignments,
    board,
    certificates,
    coverage,
    health,
    imports,
    incidents,
    isochrones,
    matrix,
    me,
    nearest,
    nearest_aeds,
    orgs,
    responders,
    routes,
    search,
    session,
    stock,
    teams,
    timeline,
    trackers,
)

ROUTERS: tuple[APIRouter, ...] = (
    nearest_aeds.router,  # first, as it is asked most
    session.router,
    incidents.router,
    alerting.router,
    timeline.router,
    alerts.router,
    assignments.router,
    me.router,
    responders.router,
    certificates.router,
    imports.router,
    teams.router,
    orgs.router,
    board.router,
    aeds.router,
    aed_checks.router,
    aed_reports.router,
    aed_uses.router,
    aed_custodians.router,
    aed_photos.router,
    nearest.router,
    search.router,
    routes.router,
    isochrones.router,
    matrix.router,
    coverage.router,
    stock.router,
    trackers.router,
)

__all__ = ["ROUTERS", "health"]
