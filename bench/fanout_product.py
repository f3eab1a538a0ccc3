"""The product as bench/fanout.py measures it: contract routes, and times from the commit.

PostgreSQL notes when each transaction was committed (track_commit_timestamp), just before it waits
for the disk; a frame counts from there.

Everybody is an operator who hears one incident and has an alert for another, a mass incident, which
nobody watches: so one event goes to all, and each acknowledges an alert that is truly theirs.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

import crowd
import httpx
import orjson
import position_city
import psycopg
from crowd import Crowd, Opening, Phone
from private_system import Service, System

NAMED_AT_ONCE = 200


class Product:
    """One app process with the sockets, and one that takes the requests (may be the same)."""

    def __init__(
        self, system: System, city: position_city.City, sockets: Service, requests: Service
    ) -> None:
        self.pid = sockets.pid
        self._database = system.database_url
        self._city, self._sockets, self._requests = city, sockets, requests
        self._mark = b"\0"
        self._number = 0
        self._acks: list[bytes] = []
        self._waiting = self._confirmed = 0
        self.settled_at = 0.0
        self.ack = False
        self._waves: list[list[int]] = []

    # ---- as a peer

    def openings(self, count: int) -> list[Opening]:
        """Say how the sockets are opened: each hears the incident that is written about."""
        topics = [f"incident:{self._heard}"] * count
        return self._openings(topics)

    def own_openings(self, count: int) -> list[Opening]:
        """Say how phones are opened: each hears its own person."""
        return self._openings([f"person:{who}" for who in self._city.ids[:count]])

    def _openings(self, topics: Sequence[str]) -> list[Opening]:
        url = self._sockets.url.replace("http", "ws", 1) + "/api/v1/live"
        return [
            Opening(
                url,
                headers={"Authorization": f"Bearer {self._city.tokens[number]}"},
                hello=orjson.dumps({"type": "hello", "topics": {topic: None}}),
                ready=b'{"type":"welcome"',
            )
            for number, topic in enumerate(topics)
        ]

    def prepare(self, crowd_: Crowd) -> None:
        """Open the connections to publish over; forget the acks of the round before."""
        self._poster = crowd.Poster(crowd_, self._requests.url, 8)
        if self.ack:
            self.forget_acks()
        self._waiting = self._confirmed = 0

    def publish(self, whom: Sequence[int] | None) -> None:
        """Write on the timeline, which one topic hears; or ask these people by name."""
        if whom is None:
            self._number += 1
            self._mark = b"mark %06d" % self._number
            self._waiting += len(self._acks) if self.ack else 0
            body = orjson.dumps({"text": f"mark {self._number:06d} " + "x" * 240})
            self._poster.post(f"/api/v1/incidents/{self._heard}/timeline", body, self._signed())
        else:
            incident = self._incidents[len(self._waves)]
            self._waves.append(list(whom))
            body = orjson.dumps({"responders": [self._city.ids[number] for number in whom]})
            self._poster.post(f"/api/v1/incidents/{incident}/alert", body, self._signed())

    def is_event(self, payload: bytes) -> bool:
        """Say whether a frame is what was published; count the confirmations of acks."""
        if payload.startswith(b'{"type":"ack_ok"'):
            self._confirmed += 1
            self.settled_at = time.perf_counter()
        if self._waves:
            return b'"alert_sent"' in payload[:300]
        return self._mark in payload

    def answer(self, phone: Phone, _payload: bytes) -> bytes:
        """Write the ack of a phone's own alert."""
        return self._acks[phone.number]

    def is_settled(self) -> bool:
        """Say whether every ack is recorded."""
        return self._confirmed >= self._waiting

    def began(self, asked: Sequence[float]) -> list[float]:
        """Say when each alert was committed, by the clock of this process."""
        if bad := {s: n for s, n in self._poster.statuses.items() if s != 201}:
            raise SystemExit(f"answers: {bad}")
        offset = time.time() - time.perf_counter()
        with psycopg.connect(self._database) as conn:
            if self._waves:
                at: dict[str, float] = dict(conn.execute(_ALERTED).fetchall())
                first = [f"person:{self._city.ids[wave[0]]}" for wave in self._waves]
                return [at[topic] - offset for topic in first]
            values = (f"incident:{self._heard}", len(asked))
            rows = conn.execute(_WRITTEN, values).fetchall()
        return sorted(seconds - offset for (seconds,) in rows)

    # ---- before the measuring

    def set_up(self, *, acks: bool, waves: int = 0) -> None:
        """Open the incident that all hear and one for each wave; with `acks` the mass incident."""
        with httpx.Client(base_url=self._requests.url, timeout=60) as client:
            self._heard = self._open(client)
            self._incidents = [self._open(client) for _ in range(waves)]
            if acks:
                self._alert_everybody(client, self._open(client))

    def _open(self, client: httpx.Client) -> str:
        body = {"kind": "flood", "position": {"lon": 114.3, "lat": 30.6}, "ambulance": "notified"}
        answer = client.post("/api/v1/incidents", json=body, headers=self._signed())
        answer.raise_for_status()
        return str(answer.json()["id"])

    def _alert_everybody(self, client: httpx.Client, incident: str) -> None:
        ids = self._city.ids
        for start in range(0, len(ids), NAMED_AT_ONCE):
            body = {"responders": ids[start : start + NAMED_AT_ONCE]}
            path = f"/api/v1/incidents/{incident}/alert"
            client.post(path, json=body, headers=self._signed()).raise_for_status()
        with psycopg.connect(self._database) as conn:
            rows: list[tuple[str, str]] = conn.execute(
                "select responder_id::text, id::text from alert where incident_id = %s", (incident,)
            ).fetchall()
        found = dict(rows)
        words: dict[str, Any] = {"type": "ack", "level": "received"}
        self._acks = [crowd.frame(orjson.dumps({**words, "alert": found[who]})) for who in ids]

    def forget_acks(self) -> None:
        """Let the database forget what was acknowledged, so that each round records it anew."""
        with psycopg.connect(self._database) as conn:
            conn.execute("update alert set delivered_at = null, status = 'notified'")
            conn.execute("update delivery set status = 'queued' where channel = 'live'")

    def free_everybody(self) -> None:
        """End all alerts, as if nobody had answered."""
        self._waves = []
        with psycopg.connect(self._database) as conn:
            conn.execute(
                "update alert set status = 'timed_out'"
                " where status in ('pending','notified','delivered','seen')"
            )
            conn.execute("delete from timer")

    def _signed(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._city.operator}",
            "Idempotency-Key": str(uuid.uuid4()),
        }


def make_operators(system: System, city: position_city.City) -> None:
    """Let everybody hear incidents."""
    with psycopg.connect(system.database_url) as conn:
        conn.execute(
            "insert into membership (person_id, org_id, role)"
            " select id, org_id, 'operator' from person where id = any(%s)",
            ([uuid.UUID(who) for who in city.ids],),
        )


_WRITTEN = """
select extract(epoch from pg_xact_commit_timestamp(xmin))::float8 from event
where topic = %s order by seq desc limit %s
"""
_ALERTED = """
select topic, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 from event
where kind = 'alert_sent' order by seq
"""
