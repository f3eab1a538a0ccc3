"""Which lots leave first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dispatch import fefo

RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)


def shelf(
    number: int,
    *,
    depot: int = 1,
    travel_s: float = 60,
    expires: date | None = None,
    available: int = 10,
    received_days: int = 0,
) -> fefo.Shelf:
    received = RECEIVED + timedelta(days=received_days)
    return fefo.Shelf(UUID(int=number), UUID(int=depot), travel_s, expires, received, available)


def test_STK_2_the_lot_that_expires_first_leaves_first() -> None:
    late, soon, never = (
        shelf(1, expires=date(2028, 1, 1)),
        shelf(2, expires=date(2027, 1, 1)),
        shelf(3),
    )
    takes, missing = fefo.pick([never, late, soon], 15)
    assert [(take.lot_id.int, take.quantity) for take in takes] == [(2, 10), (1, 5)]
    assert missing == 0


def test_STK_2_ties_go_by_date_received_then_id() -> None:
    takes, _ = fefo.pick([shelf(3), shelf(2), shelf(9, received_days=-1)], 25)
    assert [take.lot_id.int for take in takes] == [9, 2, 3]


def test_STK_3_one_depot_that_has_it_all_serves_alone() -> None:
    near, far = shelf(1, depot=1, travel_s=10, available=5), shelf(2, depot=2, travel_s=500)
    takes, missing = fefo.pick([near, far], 8)
    assert [(take.lot_id.int, take.quantity) for take in takes] == [(2, 8)]
    assert missing == 0


def test_STK_3_else_the_nearest_together() -> None:
    near, far = shelf(1, depot=1, travel_s=10, available=5), shelf(2, depot=2, travel_s=500)
    takes, missing = fefo.pick([far, near], 12)
    assert [(take.lot_id.int, take.quantity) for take in takes] == [(1, 5), (2, 7)]
    assert missing == 0


shelves = st.lists(
    st.builds(
        shelf,
        st.integers(1, 10_000),
        depot=st.integers(1, 4),
        available=st.integers(0, 50),
        expires=st.none() | st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    ),
    max_size=12,
    unique_by=lambda lot: lot.lot_id,
)


@given(shelves, st.integers(1, 300))
def test_STK_1_never_more_than_there_is_and_never_more_than_asked(
    lots: list[fefo.Shelf], quantity: int
) -> None:
    takes, missing = fefo.pick(lots, quantity)
    available = {lot.lot_id: lot.available for lot in lots}
    assert all(0 < take.quantity <= available[take.lot_id] for take in takes)
    assert len({take.lot_id for take in takes}) == len(takes)
    assert sum(take.quantity for take in takes) == quantity - missing
    assert missing == max(0, quantity - sum(available.values()))
