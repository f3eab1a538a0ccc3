"""Whatever keepers do in whatever order: every unit is in one place, and the sums are the ledger's.

Hypothesis chooses what is done; the database is real, and each story is rolled back at its end.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, depots, errors, stock, store, tables, transfers
from tests import factories as f

MANY = bool(os.environ.get("GOLDEN_TEST_LONG"))
UNITS = st.integers(1, 12)
DEPOTS = st.sampled_from(["d0", "d1", "d2"])
DAYS = st.sampled_from([None, 0, 1, 400])
#: Of what there is, the one at this place; taken modulo their number.
ANY = st.integers(0, 1_000)
BEGIN = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


class Keepers(RuleBasedStateMachine):
    """Two keepers of three depots, and one incident that needs what they have."""

    runner: asyncio.Runner
    url: str

    def __init__(self) -> None:
        super().__init__()
        self.engine = db.make_engine(self.url, pool_size=1)
        self.conn: AsyncConnection = self.runner.run(self.engine.connect().start())
        self.runner.run(_begin(self.conn))
        self.now = BEGIN
        self.received = self.written_off = 0
        self.on_hand = Counter[str]()
        self.sent: list[transfers.Transfer] = []
        self.claims: list[UUID] = []

    def teardown(self) -> None:
        """Forget the story."""
        self.runner.run(self.conn.rollback())
        self.runner.run(self.conn.close())
        self.runner.run(self.engine.dispose())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something as one action: whole, or not at all."""

        async def whole() -> Any:
            async with self.conn.begin_nested():
                return await work

        return self.runner.run(whole())

    @initialize()
    def open(self) -> None:
        """Set up the depots and the incident."""

        async def begin() -> None:
            org = await f.make_org(self.conn)
            self.keepers = [await f.make_person(self.conn, org) for _ in range(2)]
            incident = await f.make_incident(self.conn, org, by=self.keepers[0], now=self.now)
            self.incident, self.path = incident.id, incident.org_path
            self.depots = {
                f"d{n}": await depots.add_depot(
                    self.conn, org, code=f"d{n}", name="仓", position=f.north_of(f.HARBOUR, 900 * n)
                )
                for n in range(3)
            }
            self.item = await depots.add_item(
                self.conn, org, code="quilt", name_zh="棉被", name_en="Quilt", unit_zh="床",
                unit_en="pc",
            )  # fmt: skip

        self.do(begin())
        for depot in self.depots:
            for days in (None, 0, 1):
                self.receive(depot, 10, days)

    # ---- what is done

    @rule(depot=DEPOTS, units=st.integers(1, 40), days=DAYS)
    def receive(self, depot: str, units: int, days: int | None) -> None:
        """Goods come in."""
        expires = None if days is None else self.today + timedelta(days=days)
        self.do(
            stock.receive(
                self.conn, self.depots[depot], self.item, quantity=units, expires_on=expires,
                by=self.keepers[0], now=self.now,
            )
        )  # fmt: skip
        self.received += units
        self.on_hand[depot] += units

    @rule(depot=DEPOTS, units=UNITS)
    def reserve(self, depot: str, units: int) -> None:
        """What one depot has is claimed: all, or the refusal names what there is."""
        free = self.free(depot)
        work = stock.reserve(
            self.conn, self.incident, org_path=self.path, item="quilt", quantity=units,
            depot_id=self.depots[depot], by=self.keepers[0], now=self.now,
        )  # fmt: skip
        if units <= free:
            self.claims += self.do(work)
            return
        with pytest.raises(errors.StockShort) as short:
            self.do(work)
        assert short.value.state == {"item": "quilt", "available": free}

    @rule(nth=ANY)
    def issue(self, nth: int) -> None:
        """A claim is handed out, unless it is over or its goods have expired."""
        claim = self.claim(nth)
        if claim is None:
            return
        lot = self.runner.run(depots.get_lot(self.conn, claim.lot_id))
        is_expired = lot.expires_on is not None and lot.expires_on < self.today
        try:
            self.do(stock.issue(self.conn, claim.id, by=self.keepers[1], now=self.now))
        except errors.StockExpired:
            assert is_expired
        except errors.Conflict:
            assert claim.status in {"released", "expired"}
        else:
            if claim.status == "active":
                assert not is_expired
                self.on_hand[lot.depot] -= claim.quantity

    @rule(nth=ANY)
    def release(self, nth: int) -> None:
        """A claim is given back, which changes nothing that was handed out."""
        if (claim := self.claim(nth)) is not None:
            with suppress(errors.Conflict):
                self.do(stock.release(self.conn, claim.id, by=self.keepers[0], now=self.now))

    @rule(nth=ANY, units=UNITS)
    def take_back(self, nth: int, units: int) -> None:
        """Goods come back."""
        if (claim := self.claim(nth)) is not None:
            lot = self.runner.run(depots.get_lot(self.conn, claim.lot_id))
            with suppress(errors.Conflict):
                self.do(
                    stock.take_back(
                        self.conn, claim.id, quantity=units, note="多余", by=self.keepers[0],
                        now=self.now,
                    )
                )  # fmt: skip
                self.on_hand[lot.depot] += units

    @rule(depot=DEPOTS, to=DEPOTS, units=UNITS)
    def send(self, depot: str, to: str, units: int) -> None:
        """Goods leave for another depot."""
        free = self.free(depot)
        work = transfers.send(
            self.conn, self.depots[depot], self.depots[to], [transfers.Wanted("quilt", units)],
            by=self.keepers[0], now=self.now,
        )  # fmt: skip
        try:
            transfer_id = self.do(work)
        except errors.StockShort:
            assert units > free
        except errors.Malformed:
            assert depot == to
        else:
            self.on_hand[depot] -= units
            self.sent.append(self.runner.run(transfers.get_transfer(self.conn, transfer_id)))

    @rule(nth=ANY, share=st.floats(0, 1), keeper=st.sampled_from([1, 1, 1, 0]))
    def arrive(self, nth: int, share: float, keeper: int) -> None:
        """Goods are counted at the other end, by somebody else."""
        if not self.sent:
            return
        transfer = self.sent[nth % len(self.sent)]
        counted = {line.id: round(line.quantity * share) for line in transfer.lines}
        work = transfers.arrive(
            self.conn, transfer.id, counted, difference="少了", by=self.keepers[keeper],
            now=self.now,
        )  # fmt: skip
        try:
            self.do(work)
        except errors.SecondPerson:
            assert keeper == 0
        except errors.Conflict:
            assert transfer not in self.on_their_way()
        else:
            self.on_hand[transfer.to_depot] += sum(counted.values())

    @rule(nth=ANY, units=UNITS)
    def write_off(self, nth: int, units: int) -> None:
        """Goods are spoiled; what is promised is not written off."""
        if not (lots := self.lots()):
            return
        lot = lots[nth % len(lots)]
        work = stock.write_off(
            self.conn, lot.id, quantity=units, note="受潮", by=self.keepers[0], now=self.now
        )
        try:
            self.do(work)
        except errors.StockShort:
            assert units > lot.available
        else:
            assert units <= lot.available
            self.written_off += units
            self.on_hand[lot.depot] -= units

    @rule(days=st.integers(0, 3))
    def wait(self, days: int) -> None:
        """Time passes, and goods expire."""
        self.now += timedelta(days=days)

    # ---- what must hold

    @invariant()
    def every_unit_is_in_one_place(self) -> None:
        """Compare the ledger, its sums, and what the keepers would say."""
        if not hasattr(self, "item"):
            return
        lots = self.lots()
        assert all(0 <= lot.reserved <= lot.on_hand for lot in lots)
        by_depot = Counter[str]()
        for lot in lots:
            by_depot[lot.depot] += lot.on_hand
        assert +by_depot == +self.on_hand
        sums = self.runner.run(_sums(self.conn))
        assert {lot.id: lot.on_hand for lot in lots} == sums
        out, moving, missing = self.runner.run(_elsewhere(self.conn))
        assert min(out, moving, missing) >= 0
        places = sum(by_depot.values()) + out + moving + missing + self.written_off
        assert places == self.received

    # ---- looking

    @property
    def today(self) -> date:
        """Say which day it is in the depots."""
        return (self.now + timedelta(hours=8)).date()

    def lots(self) -> list[depots.Lot]:
        """List all lots."""
        found = depots.list_lots(self.conn, [self.path], after=None, limit=1_000)
        return self.runner.run(found)

    def free(self, depot: str) -> int:
        """Count what a depot could give today."""
        return sum(
            lot.available
            for lot in self.lots()
            if lot.depot == depot and (lot.expires_on is None or lot.expires_on >= self.today)
        )

    def claim(self, nth: int) -> store.Reservation | None:
        """Give one of the claims as it stands."""
        if not self.claims:
            return None
        which = tables.reservation.c.id == self.claims[nth % len(self.claims)]
        return self.runner.run(store.list_reservations(self.conn, which))[0]

    def on_their_way(self) -> list[transfers.Transfer]:
        """List what was sent and is not there."""
        found = transfers.list_transfers(self.conn, [self.path], after=None, limit=1_000)
        ids = {one.id for one in self.runner.run(found) if one.status == "sent"}
        return [one for one in self.sent if one.id in ids]


async def _begin(conn: AsyncConnection) -> None:
    await conn.begin()
    # Hypothesis thinks between two steps for longer than the program ever may.
    await conn.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))


async def _sums(conn: AsyncConnection) -> dict[UUID, int]:
    movement = tables.movement.c
    rows = await conn.execute(
        sa.select(movement.lot_id, sa.func.sum(movement.quantity)).group_by(movement.lot_id)
    )
    return {lot: int(units) for lot, units in rows}


async def _elsewhere(conn: AsyncConnection) -> tuple[int, int, int]:
    """Count what is with people, on its way, and missing."""
    movement, line = tables.movement.c, tables.transfer_line.c
    out = await conn.scalar(
        sa.select(-sa.func.coalesce(sa.func.sum(movement.quantity), 0)).where(
            movement.kind.in_(["issue", "return"])
        )
    )
    moving = await conn.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(line.quantity), 0)).where(line.arrived.is_(None))
    )
    missing = await conn.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(line.quantity - line.arrived), 0))
    )
    return int(out or 0), int(moving or 0), int(missing or 0)


def test_STK_4_every_unit_is_in_one_place_whatever_is_done(database: str) -> None:
    with asyncio.Runner() as runner:
        Keepers.runner, Keepers.url = runner, database
        run_state_machine_as_test(
            Keepers,
            settings=settings(
                max_examples=300 if MANY else 25, stateful_step_count=30, deadline=None,
                suppress_health_check=list(HealthCheck), database=None,
            ),
        )  # fmt: skip
