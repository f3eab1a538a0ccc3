"""What a durable write costs: an incident accepted, and five thousand alerts of one mass incident.

    .venv/bin/python bench/durable.py [--seconds 3] [--rounds 2] [--clients 8] [--people 5000]

Starts a PostgreSQL (fsync on) and Redis of its own. Incidents by `POST /api/v1/incidents` with a
token and a fresh key each, from one organisation and from eight, beside a thin service
(thin_incidents.py), closed loop by turns; then twenty a second, open loop. Goals: at least 0.35 of
the thin service's for one organisation, whose numbers are gap-free and so one after the other, 0.5
for eight; p99 at most 10 ms at twenty a second.

Then a team of five thousand is asked at once (`POST …/alert` with `team`): the time until the
commit, against the same rows of all tables written by `insert … select from unnest`, one statement
a table, in one transaction. Goal: at least half as fast. `asked` is the whole request.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import http_load
import httpx
import orjson
import position_city
import psycopg
import thin_alerts
import thin_incidents
from http_load import Ask, Load, say
from private_system import Service, System, servers
from psycopg import sql

ORGS = 8
#: More requests than a round can use.
ASKS_PER_S = 3_000
RATE = 20.0


def incidents(operators: Sequence[str], count: int) -> list[Ask]:
    """Write requests that open incidents, by the operators in turn, each with its own key."""
    dice, found = random.Random(7), []
    for operator, _ in zip(itertools.cycle(operators), range(count), strict=False):
        lon, lat = position_city.anywhere(dice)
        body = {
            "kind": "cardiac_arrest", "severity": 1, "position": {"lon": lon, "lat": lat},
            "address": "Jianghan Road 100", "floor": "3", "ambulance": "notified",
            "note": "unresponsive, not breathing normally; bystander CPR started, age 63",
            "caller_phone": "+8613000000000",
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {operator}", "Idempotency-Key": str(uuid.uuid4())}
        found.append(Ask("/api/v1/incidents", "POST", orjson.dumps(body), headers))
    return found


def thin_asks() -> list[Ask]:
    """Write the same for the thin service."""
    return [Ask("/incidents", "POST", ask.body) for ask in incidents(["-"], 64)]


def opening(
    product: Service, thin: Service, operators: Sequence[str], args: argparse.Namespace
) -> None:
    """Open incidents as fast as it goes, then twenty a second."""
    many = int(ASKS_PER_S * (args.seconds + 1))

    def ours(who: Sequence[str], **more: Any) -> Callable[[], Awaitable[Load]]:
        return lambda: http_load.load(
            product.url, incidents(who, many if not more else 400), server=product.pid,
            seconds=args.seconds, **({"clients": args.clients} | more),
        )  # fmt: skip

    def bare(**more: Any) -> Callable[[], Awaitable[Load]]:
        return lambda: http_load.load(
            thin.url, thin_asks(), server=thin.pid,
            seconds=args.seconds, **({"clients": args.clients} | more),
        )  # fmt: skip

    found = http_load.alternate(
        {"thin": bare(), "one org": ours(operators[:1]), "eight orgs": ours(operators)},
        rounds=args.rounds,
    )
    show(found)
    at_rate = http_load.alternate(
        {"thin at 20/s": bare(rate=RATE), "one org at 20/s": ours(operators[:1], rate=RATE)},
        rounds=1,
    )
    show(at_rate)
    base = http_load.median(found["thin"], "per_s")
    say(
        way="ratios",
        one_org=round(http_load.median(found["one org"], "per_s") / base, 3),
        eight_orgs=round(http_load.median(found["eight orgs"], "per_s") / base, 3),
        p99_at_20_per_s_ms=round(http_load.median(at_rate["one org at 20/s"], "p99_ms"), 2),
        goals={"one_org": 0.35, "eight_orgs": 0.5, "p99_at_20_per_s_ms": 10},
    )


def show(found: Mapping[str, Sequence[Load]]) -> None:
    """Print the medians of each service."""
    for name, loads in found.items():
        figures = loads[0].figures()
        medians = {what: round(http_load.median(loads, what), 2)
                   for what in ("per_s", "p50_ms", "p99_ms", "server_cpu_us")}  # fmt: skip
        say(way=name, **medians, statuses=figures["statuses"])
        if set(figures["statuses"]) != {201}:
            raise SystemExit(f"{name}: {loads[0].sample.decode()[:300]}")


def make_orgs(database: str) -> list[str]:
    """Make organisations, each with an operator; give their tokens."""
    with psycopg.connect(database) as conn:
        people = [row[0] for row in conn.execute(_ORGS, {"count": ORGS}).fetchall()]
        return position_city.tokens_of(conn, people)


_ORGS = """
with made as (
  insert into org (id, code, name_zh, name_en, level, path, timezone)
  select gen_random_uuid(), 'org' || n, '测试', 'Bench', 3, 'org' || n || '/', 'Asia/Shanghai'
  from generate_series(1, %(count)s) n returning id)
, boss as (
  insert into person (id, org_id, name)
  select gen_random_uuid(), id, 'Operator' from made returning id, org_id)
, role as (insert into membership (person_id, org_id, role) select id, org_id, 'operator' from boss)
select id::text from boss
"""


# ---- the mass incident


def mass(system: System, product: Service, city: position_city.City, rounds: int) -> None:
    """Ask everybody of a team, and write the same rows once more, by turns."""
    team = make_team(system.database_url)
    ours, raw, asked = [], [], []
    with httpx.Client(base_url=product.url, timeout=60) as client:
        for _ in range(rounds):
            whole_s, commit_s, incident = ask(client, city, team, system.database_url)
            asked.append(whole_s)
            ours.append(commit_s)
            raw.append(write_again(system.database_url, incident))
            free_everybody(system.database_url)
    rates = [statistics.median(raw), statistics.median(ours)]
    say(
        way="mass", people=len(city.ids), commit_s=[round(s, 3) for s in ours],
        unnest_s=[round(s, 3) for s in raw], asked_s=[round(s, 3) for s in asked],
    )  # fmt: skip
    say(way="ratios", mass=round(rates[0] / rates[1], 3), goals={"mass": 0.5})


def make_team(database: str) -> str:
    """Put everybody who is a responder into one team."""
    with psycopg.connect(database) as conn:
        row = conn.execute(_TEAM).fetchone()
        conn.execute(
            "insert into team_member (team_id, responder_id) select %s, id from responder",
            (row[0] if row else None,),
        )
    return str(row[0]) if row else ""


_TEAM = """
insert into team (id, org_id, code, name)
select gen_random_uuid(), id, 'all', 'Everybody' from org where code = 'bench' returning id
"""


def ask(
    client: httpx.Client, city: position_city.City, team: str, database: str
) -> tuple[float, float, str]:
    """Ask the team; seconds of the request and until the commit, and the incident."""

    def post(path: str, body: dict[str, Any]) -> Any:
        headers = {
            "Authorization": f"Bearer {city.operator}", "Idempotency-Key": str(uuid.uuid4())
        }  # fmt: skip
        answer = client.post(path, json=body, headers=headers)
        if answer.status_code != 201:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    place = {"lon": 114.3, "lat": 30.6}
    made = post("/api/v1/incidents", {"kind": "flood", "position": place})
    began, began_s = time.time(), time.perf_counter()
    sent = post(f"/api/v1/incidents/{made['id']}/alert", {"team": team})
    whole_s = time.perf_counter() - began_s
    if len(sent["alerts"]) != len(city.ids):
        raise SystemExit(f"asked were {len(sent['alerts'])}")
    with psycopg.connect(database) as conn:
        row = conn.execute(
            "select extract(epoch from pg_xact_commit_timestamp(xmin))::float8"
            " from wave where incident_id = %s", (made["id"],),
        ).fetchone()  # fmt: skip
    return whole_s, (row[0] if row else float("nan")) - began, made["id"]


def write_again(database: str, incident: str) -> float:
    """Write the rows of an incident's alerts once more; the seconds until they are committed."""
    with psycopg.connect(database) as conn:
        conn.execute("create schema if not exists thin")
        for name in thin_alerts.TABLES:
            conn.execute(f"drop table if exists thin.{name}")
            conn.execute(f"create table thin.{name} (like {name} including all)")
        work = [
            (_insert(conn, name), _columns(conn, name, incident)) for name in thin_alerts.TABLES
        ]
    with psycopg.connect(database) as conn:
        began = time.perf_counter()
        for statement, arrays in work:
            conn.execute(statement, arrays)
        conn.commit()
        return time.perf_counter() - began


_OF = {
    "wave": "incident_id = %(incident)s",
    "alert": "incident_id = %(incident)s",
    "delivery": "alert_id in (select id from alert where incident_id = %(incident)s)",
    "allocation": "incident_id = %(incident)s",
    "timer": "incident_id = %(incident)s",
    "line": "incident_id = %(incident)s and kind = 'wave_sent'",
    "topic_clock": "topic in (select 'person:' || responder_id from alert"
    " where incident_id = %(incident)s)",
    "event": "kind in ('alert_sent', 'wave_sent') and at ="
    " (select sent_at from wave where incident_id = %(incident)s)",
}


def _types(conn: psycopg.Connection, name: str) -> list[tuple[str, str]]:
    return conn.execute(
        "select attname, format_type(atttypid, null) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        (name,),
    ).fetchall()


def _insert(conn: psycopg.Connection, name: str) -> sql.Composed:
    types = _types(conn, name)
    return sql.SQL("insert into {} ({}) overriding system value select * from unnest({})").format(
        sql.Identifier("thin", name),
        sql.SQL(", ").join(sql.Identifier(column) for column, _ in types),
        sql.SQL(", ").join(sql.SQL("%s::text[]::" + kind + "[]") for _, kind in types),
    )


def _columns(conn: psycopg.Connection, name: str, incident: str) -> list[list[str | None]]:
    names = [column for column, _ in _types(conn, name)]
    statement = sql.SQL("select {} from {} where {}").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(each)) for each in names),
        sql.Identifier(name),
        sql.SQL(_OF[name]),
    )
    rows = conn.execute(statement, {"incident": incident}).fetchall()
    return [[row[place] for row in rows] for place in range(len(names))]


def free_everybody(database: str) -> None:
    """End all alerts between two rounds, as if nobody had answered."""
    with psycopg.connect(database) as conn:
        conn.execute("update alert set status = 'timed_out'")
        conn.execute("delete from timer")
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("vacuum analyze alert, event, topic_clock, delivery")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=2, help="one more of the mass incident")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--people", type=int, default=5_000, help="of the mass incident")
    parser.add_argument("--only", choices=("incidents", "mass"))
    args = parser.parse_args()
    with servers(track_commit_timestamp="on") as system:
        city = position_city.build(system, args.people, 1)
        operators = make_orgs(system.database_url)
        with psycopg.connect(system.database_url) as conn:
            conn.execute(thin_incidents.TABLES)
        environment = {"DATABASE": system.database_url}
        with system.app() as product, system.peers("thin_incidents", environment) as thin:
            if args.only != "mass":
                opening(product, thin, operators, args)
            if args.only != "incidents":
                mass(system, product, city, args.rounds + 1)


if __name__ == "__main__":
    main()
