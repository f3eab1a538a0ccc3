"""The hot queries use their indexes on tens of thousands of rows, also as prepared statements."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import db, nearby
from geo import aed_feed, aeds, search, tiles

if TYPE_CHECKING:
    from conftest import Servers

FILL = """
insert into aed (org_id, name, position, access, hours, status, source, folded, created_at,
                 updated_at)
select gen_random_uuid(), 'AED ' || n, ST_MakePoint(7 + random() / 2, 43 + random() / 2)::geography,
       'public', '24/7', case when random() < 0.3 then 'in_service' else 'out_of_service' end, 't',
       ' aed ' || md5((n % 5000)::text), now(), now() from generate_series(1, 50000) n;
insert into dataset (name, title_zh, title_en, source, sha256, attribution, west, south, east,
                     north, centre, imported_at)
values ('c', 'c', 'c', 's', 'x', 'a', 7, 43, 8, 44, ST_MakePoint(7.5, 43.5)::geography, now());
insert into base_feature (dataset_id, layer, kind, minzoom, geom)
select (select min(id) from dataset), 'building', 'building', 14,
       ST_Transform(ST_SetSRID(ST_Expand(ST_MakePoint(7 + random() / 2, 43 + random() / 2), 1e-4),
                               4326), 3857) from generate_series(1, 20000);
insert into address (dataset_id, text, folded, kind, position)
select (select min(id) from dataset), 'x', ' ' || n || ' rue ' || md5((n % 5000)::text),
       'address', ST_MakePoint(7 + random() / 2, 43 + random() / 2)::geography
from generate_series(1, 20000) n;
insert into org (id, code, name_zh, name_en, level, path, timezone)
values (gen_random_uuid(), 'plans', 'x', 'x', 3, 'plans/', 'UTC');
insert into person (id, org_id, name, is_invented)
select gen_random_uuid(), (select id from org where code = 'plans'), 'N' || n, true
from generate_series(1, 20000) n;
insert into responder (id, org_id, duty, skills)
select id, org_id, 'available', array['cpr'] from person where name like 'N%';
insert into last_position (responder_id, position, at, received_at)
select id, ST_MakePoint(7 + random() / 2, 43 + random() / 2)::geography, now(), now()
from responder;
insert into place (id, responder_id, kind, position)
select gen_random_uuid(), id, 'home', ST_MakePoint(7 + random() / 2, 43 + random() / 2)::geography
from responder;
analyze;
"""
TILE = {"z": 16, "x": 34119, "y": 23896}


@pytest.fixture(scope="module")
async def engine(servers: Servers) -> AsyncIterator[AsyncEngine]:
    """A database of 50,000 devices, many houses and addresses; tests leave it as it was."""
    with servers.clone() as url:
        with psycopg.connect(url) as filling:
            filling.execute(FILL)
        engine = db.make_engine(url)
        yield engine
        await engine.dispose()


async def plan(conn: AsyncConnection, statement: TextClause, binds: dict[str, Any]) -> str:
    """Explain a statement as it is planned once its values are unknown (the sixth run on)."""
    names = list(binds)
    numbered = re.sub(
        r"(?<![:\w]):([a-z_]+)", lambda m: f"${names.index(m[1]) + 1}", statement.text
    )
    kinds = ", ".join(_kind(value) for value in binds.values())
    values = f"({', '.join(_literal(value) for value in binds.values())})" if binds else ""
    await conn.exec_driver_sql("set local plan_cache_mode = force_generic_plan")
    kinds = f"({kinds})" if kinds else ""
    await conn.exec_driver_sql(f"prepare hot {kinds} as {numbered.replace('%', '%%')}")
    found = await conn.exec_driver_sql(f"explain execute hot {values}".replace("%", "%%"))
    lines = [row[0] for row in found]
    await conn.exec_driver_sql("deallocate hot")
    return "\n".join(lines)


def _kind(value: object) -> str:
    kinds = {int: "int", float: "float", str: "text", list: "text[]", type(None): "uuid"}
    return kinds[type(value)]


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "array[" + ", ".join(f"'{part}'" for part in value) + "]"
    return f"'{value}'" if isinstance(value, str) else str(value)


HERE = {"lon": 7.25, "lat": 43.25, "within_m": 1500.0, "pick": 14, "limit": 10}
PEOPLE = {"lon": 7.25, "lat": 43.25, "within_m": 1410.0}
BOX = {"west": 7.2, "south": 43.2, "east": 7.21, "north": 43.21, "org": None, "after": None}
WORDS = {"longest": "% c4ca4238", "patterns": ["% c4ca4238", "% rue"], "query": "rue", "limit": 9}


@pytest.mark.parametrize(
    ("statement", "binds", "indexes"),
    [
        (aeds._NEAR, HERE, {"ix_aed_position_in_service"}),
        (aeds._LIST, {**BOX, "limit": 100}, {"ix_aed_position_plane"}),
        (
            aed_feed._CHANGED,
            {"since": 1 << 29, "next": 1 << 30, "former": "1:1:", "most": 100},
            {"ix_aed_change_xid"},
        ),
        (aed_feed._MARK, {}, {"ix_aed_change_xid"}),
        (
            nearby._STORED,
            {**PEOPLE, "path": "plans/", "skill": None, "most": 40},
            {"ix_last_position_position", "ix_place_position"},
        ),
        (tiles._BASE, {**TILE, "tolerance": 0.0, "smallest": 0.0}, {"ix_base_feature_geom"}),
        (search._WITH_WORDS, WORDS, {"ix_address_folded_trgm", "ix_aed_folded_trgm"}),
        (
            search._ALIKE,
            {"query": "rue c4ca4238a0b923820dcc", "limit": 9},
            {"ix_address_folded_trgm", "ix_aed_folded_trgm"},
        ),
    ],
    ids=[
        "near",
        "list",
        "aed changes",
        "aed mark",
        "people near",
        "base tile",
        "search",
        "search alike",
    ],
)
async def test_hot_queries_use_their_indexes(
    conn: AsyncConnection, statement: TextClause, binds: dict[str, Any], indexes: set[str]
) -> None:
    found = await plan(conn, statement, binds)
    used = set(re.findall(r"\bix_\w+", found))
    assert indexes <= used, found
    assert not re.search(
        r"Seq Scan on (aed|base_feature|address|last_position|place|responder)\b", found
    ), found
