"""A database that says nothing is given up on; one that takes its time is waited for."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from waiting import until

from dispatch import db, silence
from tests.chaos import proxies


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask sooner than the product does."""
    for name in ("ASK_AFTER_S", "LOOK_EVERY_S"):
        monkeypatch.setattr(silence, name, 0.1)


@pytest.fixture
async def proxy(database: str) -> AsyncIterator[proxies.Proxy]:
    """Lie between us and the database."""
    folder = psycopg.conninfo.conninfo_to_dict(database)["host"]
    proxy = proxies.Proxy("database", proxies.to_socket(f"{folder}/.s.PGSQL.5432"))
    await proxy.start()
    yield proxy
    proxy.heal()
    gc.collect()  # psycopg closes a connection that was never made when it is collected
    await until(lambda: not proxy.open_links)
    await proxy.close()


@pytest.fixture
async def engine(database: str, proxy: proxies.Proxy) -> AsyncIterator[AsyncEngine]:
    """Connect by way of the proxy."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    engine = db.make_engine(
        f"postgresql://golden@127.0.0.1:{proxy.port}/{name}?sslmode=disable&gssencmode=disable"
    )
    yield engine
    await engine.dispose()


async def test_SIL_1_who_waits_for_a_silent_database_is_told(
    engine: AsyncEngine, proxy: proxies.Proxy
) -> None:
    async with silence.given_up_on(engine) as ear, engine.connect() as conn:
        await conn.execute(sa.text("select 1"))
        proxy.poison(black_hole=True)
        with pytest.raises(sa.exc.OperationalError):
            await conn.execute(sa.text("select 1"))
        assert ear.silences == 1
        proxy.heal()
        async with engine.connect() as again:
            assert (await again.execute(sa.text("select 1"))).scalar() == 1


async def test_SIL_2_a_slow_statement_is_waited_for(engine: AsyncEngine) -> None:
    async with silence.given_up_on(engine) as ear, engine.connect() as conn:
        assert (await conn.execute(sa.text("select 1 from pg_sleep(1)"))).scalar() == 1
        assert ear.silences == 0
