"""Statements sent in one round trip behave as if they were sent one by one."""

from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, tables

_MAKE = sa.text("create temporary table note (id uuid, said text) on commit drop")
_ADD = sa.text("insert into note values (:id, :said)")
_READ = sa.text("select id, said from note where said <> '%' order by said")
_CHANGE = (
    sa.update(tables.org)
    .where(tables.org.c.code.in_(["no", "such"]))
    .returning(tables.org.c.id, tables.org.c.name_zh)
)


async def test_each_sees_what_those_before_it_wrote(conn: AsyncConnection) -> None:
    first, second = uuid4(), uuid4()
    made, _, _, found = await db.together(
        conn,
        (_MAKE, {}),
        (_ADD, {"id": first, "said": "a"}),
        (_ADD, {"id": second, "said": "b"}),
        (_READ, {}),
    )
    assert made == []
    assert found == [{"id": first, "said": "a"}, {"id": second, "said": "b"}]
    assert await db.together(conn, (_READ, {})) == [found]


async def test_an_update_writes_the_columns_among_its_values(conn: AsyncConnection) -> None:
    assert await db.together(conn, (_CHANGE, {"name_zh": "x"})) == [[]]


async def test_a_fault_is_one_of_sqlalchemy_and_ends_those_after_it(conn: AsyncConnection) -> None:
    async with conn.begin_nested() as kept:
        with pytest.raises(sa.exc.DBAPIError) as raised:
            await db.together(
                conn, (_MAKE, {}), (sa.text("select 1 / :zero"), {"zero": 0}), (_READ, {})
            )
        await kept.rollback()
    assert isinstance(raised.value, sa.exc.DataError)
    assert await db.together(conn, (sa.text("select 1 as one"), {})) == [[{"one": 1}]]


async def test_a_broken_rule_names_its_constraint(conn: AsyncConnection) -> None:
    row = sa.text("insert into topic_clock (topic, epoch, seq) values ('x', 'y', 1)")
    async with conn.begin_nested() as kept:
        with pytest.raises(sa.exc.IntegrityError) as raised:
            await db.together(conn, (row, {}), (row, {}))
        await kept.rollback()
    assert raised.value.orig.diag.constraint_name == "pk_topic_clock"  # type: ignore[union-attr]  # psycopg's
