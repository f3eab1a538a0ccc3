"""Addresses of several servers, and an engine that is given them."""

from __future__ import annotations

import gc

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from waiting import until

from dispatch import addresses, db, servers
from dispatch.settings import Settings
from realtime import log
from tests.chaos import proxies


@pytest.mark.parametrize(
    ("given", "hosts", "ports"),
    [
        ("postgresql://u:p%40@a:5433,b/d", "a,b", "5433,5432"),
        ("postgresql://u@/d?host=a,b", "a,b", "5432,5432"),
        ("postgresql://u@/d?host=a,b&port=5433", "a,b", "5433,5433"),
        ("postgresql://[::1]:5433,[::2]/d", "::1,::2", "5433,5432"),
    ],
)
def test_HST_1_several_servers_are_read_alike_by_every_client(
    given: str, hosts: str, ports: str
) -> None:
    url = addresses.database(given)
    assert addresses.database(url) == url
    by_driver = psycopg.conninfo.conninfo_to_dict(url)
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    by_engine = engine.dialect.create_connect_args(engine.url)[1]
    for read in (by_driver, by_engine):
        assert (read["host"], read["port"], read["dbname"]) == (hosts, ports, "d")
        assert read["target_session_attrs"] == "read-write"


def test_HST_1_one_server_stays_as_it_is() -> None:
    for url in ("", "postgresql://u@h/d", "postgresql://u@/d?host=/run/x"):
        assert addresses.database(url) == url


@pytest.mark.parametrize("url", ["redis+cluster://", "redis+sentinel://a,b", "http://a", "a:6379"])
def test_HST_1_an_address_that_is_none_is_explained(url: str) -> None:
    with pytest.raises(ValidationError, match=r"redis\+cluster://host"):
        Settings(redis_url=url)


def test_HST_1_ports_must_match() -> None:
    with pytest.raises(ValidationError, match="as many as servers"):
        Settings(database_url="postgresql://u@/d?host=a,b,c&port=1,2")


def _beside_a_dead_one(database: str) -> str:
    folder = psycopg.conninfo.conninfo_to_dict(database)["host"]
    return addresses.database(database.replace(f"{folder}", f"/nonexistent,{folder}"))


async def test_HST_2_a_dead_server_is_left_for_the_next_and_the_good_one_tried_first(
    database: str,
) -> None:
    engine = db.make_engine(_beside_a_dead_one(database))
    orders: list[str] = []

    def note(_dialect: object, _record: object, _args: object, given: dict[str, str]) -> None:
        orders.append(given["host"].split(",")[0])

    sa.event.listen(engine.sync_engine, "do_connect", note)
    async with engine.connect() as one, engine.connect() as other:
        assert (await one.execute(sa.text("select 1"))).scalar() == 1
        assert (await other.execute(sa.text("select 1"))).scalar() == 1
    await engine.dispose()
    assert orders[0] == "/nonexistent"
    assert orders[1] != "/nonexistent"


async def test_HST_3_a_server_that_was_promoted_has_another_epoch(database: str) -> None:
    engine = db.make_engine(database)
    now = await _epoch(engine)
    assert await _epoch(engine, timeline=0) == now  # of a database that never noted it
    assert await _epoch(engine, timeline=7) != now
    now = await _epoch(engine)
    assert await _epoch(engine) == now
    await engine.dispose()


async def _epoch(engine: sa.ext.asyncio.AsyncEngine, *, timeline: int | None = None) -> str:
    """Read the epoch by a new session; first pretend that the server was of another timeline."""
    if timeline is not None:
        async with engine.begin() as conn:
            await conn.execute(
                sa.text("update topic_clock set seq = :seq where topic = '*'"), {"seq": timeline}
            )
    await engine.dispose()
    async with engine.connect() as conn:
        return (await log.position_of(conn, ["org:a"]))["org:a"].epoch


async def test_HST_4_a_server_that_was_taken_over_from_is_refused(database: str) -> None:
    engine = db.make_engine(_beside_a_dead_one(database))
    async with engine.connect() as conn:
        # As if it had led us to a later timeline before: this one was taken over from.
        await conn.execute(sa.text("select 1"))
    for listener in engine.sync_engine.pool.dispatch.connect:
        known = getattr(listener, "__self__", None)
        if isinstance(known, servers._Known):
            known._timeline += 1
    await engine.dispose()
    with pytest.raises(sa.exc.OperationalError, match="taken over from"):
        async with engine.connect():
            pass
    await engine.dispose()


async def test_HST_4_a_server_that_hangs_is_left_for_another(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "ASK_AFTER_S", 0.05)
    folder = psycopg.conninfo.conninfo_to_dict(database)["host"]
    dial = proxies.to_socket(f"{folder}/.s.PGSQL.5432")
    first, second = proxies.Proxy("first", dial), proxies.Proxy("second", dial)
    for proxy in (first, second):
        await proxy.start()
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    engine = db.make_engine(
        addresses.database(
            f"postgresql://golden@127.0.0.1:{first.port},127.0.0.1:{second.port}/{name}"
            "?sslmode=disable&gssencmode=disable"
        )
    )
    async with engine.connect() as conn:
        # Somebody who is only slow is waited for.
        await conn.execute(sa.text("select pg_sleep(0.3)"))
        first.poison(black_hole=True)
        with pytest.raises(sa.exc.OperationalError):
            await conn.execute(sa.text("select 1"))
    async with engine.connect() as conn:
        assert (await conn.execute(sa.text("select 1"))).scalar() == 1
    assert second.open_links
    await engine.dispose()
    first.heal()
    gc.collect()  # psycopg closes a connection that was never made when it is collected
    await until(lambda: not first.open_links and not second.open_links)
    for proxy in (first, second):
        await proxy.close()
