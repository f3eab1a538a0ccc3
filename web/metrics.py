"""What this process counts, for Prometheus, on a port of its own that only this machine reaches."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIServer

import prometheus_client
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime import log
from web import watch_metrics

_logger = logging.getLogger(__name__)

#: Ports looked at from GOLDEN_METRICS_PORT on: each process takes the first free one.
PORTS = 32

_registry = CollectorRegistry()
_requests = prometheus_client.Histogram(
    "golden_request_seconds",
    "Time to answer, by route, method and status.",
    ("route", "method", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    registry=_registry,
)


class Measured:
    """Times every request; the label is the route's pattern, never an address with an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), "500"

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            _requests.labels(route, scope["method"], status).observe(time.perf_counter() - began)


class _LiveLog(Collector):
    """Reads the live log's own counts when asked."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        """Give each count as it is now."""
        live = self._app.state.live
        yield GaugeMetricFamily(
            "golden_sockets", "Open WebSockets.", value=len(live.hub.connections)
        )
        for name, text, value in (
            ("golden_events_sent", "Events handed to sockets.", live.hub.events_sent),
            ("golden_events_repeated", "Alerts sent again unacked.", live.hub.events_repeated),
            ("golden_log_looks", "Looks at the log.", live.tailer.looks),
            ("golden_log_failures", "Looks at the log that failed.", live.tailer.failures),
            ("golden_hints_failed", "Hints that Redis did not take.", log.hints.failed),
            ("golden_positions_taken", "Positions that came.", live.positions.counts.taken),
            ("golden_positions_shown", "Positions put into Redis.", live.positions.counts.shown),
            ("golden_positions_stored", "Positions stored.", live.positions.counts.stored),
            ("golden_positions_refused", "Positions refused.", live.positions.counts.refused),
            ("golden_positions_failures", "Batches tried again.", live.positions.counts.failures),
        ):
            yield CounterMetricFamily(name, text, value=value)
        closed = CounterMetricFamily(
            "golden_sockets_closed", "WebSockets closed by us.", labels=("code",)
        )
        for code, count in live.hub.closed.items():
            closed.add_metric((str(int(code)),), count)
        yield closed


@contextmanager
def served(app: FastAPI) -> Iterator[None]:
    """Serve /metrics while the app runs, if a port is set; a taken port is no reason to fail."""
    first = app.state.settings.metrics_port
    if not first:
        yield
        return
    collectors = (
        _LiveLog(app), app.state.channels, watch_metrics.WatchMetrics(app.state.watch)
    )  # fmt: skip
    for collector in collectors:
        _registry.register(collector)
    server = _first_free(first)
    try:
        yield
    finally:
        for collector in collectors:
            _registry.unregister(collector)
        if server is not None:
            server.shutdown()
            server.server_close()


def _first_free(first: int) -> WSGIServer | None:
    for port in range(first, first + PORTS):
        try:
            return prometheus_client.start_http_server(port, "127.0.0.1", _registry)[0]
        except OSError:
            continue
    _logger.warning("no free port for /metrics from %d on", first)
    return None
