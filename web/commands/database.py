"""A transaction on the installation's database, for the commands that write a row or two."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db
from web.commands.installation import Installation
from web.commands.trouble import Trouble

Answer = TypeVar("Answer")


def run(
    installation: Installation, work: Callable[[AsyncConnection, datetime], Awaitable[Answer]]
) -> Answer:
    """Do `work` in one transaction, now. Raises Trouble when the database does not answer."""

    async def whole() -> Answer:
        async with _transaction(installation.settings.database_url) as conn:
            return await work(conn, datetime.now(UTC))

    try:
        return asyncio.run(whole())
    except OperationalError as failure:
        raise Trouble(
            f"The database does not answer. Start the system (golden up) or see golden doctor.\n"
            f"  {failure.orig}",
            "数据库无响应。请先启动系统（golden up），或运行 golden doctor。",
        ) from failure


@asynccontextmanager
async def _transaction(url: str) -> AsyncIterator[AsyncConnection]:
    engine = db.make_engine(url, pool_size=1)
    try:
        async with db.Database(engine, None).transaction() as conn:
            yield conn
    finally:
        await engine.dispose()
