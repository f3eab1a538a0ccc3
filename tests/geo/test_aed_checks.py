"""What people find, say and do: doubt at once, the map only after somebody decided."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import (
    aed_checks,
    aed_history,
    aed_photos,
    aed_reminders,
    aed_reports,
    aed_uses,
    aeds,
    trust,
)
from geo.aed_checks import CheckResult, Look
from geo.aed_reminders import Stage
from geo.aed_reports import Decision, ReportKind, Verdict
from geo.aeds import Aed
from geo.position import Position
from geo.trust import Trust
from geo.usability import Reason, Status, Usable

ORG = UUID(int=7)
HERE = Position(7.42, 43.73)
THERE = Position(7.425, 43.735)
DAY = timedelta(days=1)


async def add(conn: AsyncConnection, now: datetime, **facts: object) -> Aed:
    said = {"name": "AED", "access": "public", "hours": "24/7", "position": HERE, **facts}
    return await aeds.add(conn, ORG, said, now=now)


async def report(
    conn: AsyncConnection, aed: Aed, kind: ReportKind, now: datetime, at: Position | None = None
) -> aed_reports.Report:
    return await aed_reports.add_report(
        conn, aed.id, kind, note="said", position=at, actor_id=None, now=now
    )


async def settle(
    conn: AsyncConnection, said: aed_reports.Report, decision: Decision, now: datetime
) -> Aed:
    await aed_reports.settle(conn, said.aed_id, said.id, decision, actor_id=None, now=now)
    return await aeds.get(conn, said.aed_id)


# ---- reports


@pytest.mark.parametrize("kind", list(ReportKind))
async def test_AED_10_a_report_makes_it_doubtful_and_never_more(
    conn: AsyncConnection, now: datetime, kind: ReportKind
) -> None:
    aed = await add(conn, now)
    for _ in range(2):
        await report(conn, aed, kind, now, THERE)
    after = await aeds.get(conn, aed.id)
    assert (after.status, after.position) == (Status.IN_SERVICE, HERE)
    is_doubt = kind is not ReportKind.OTHER
    assert aeds.usable(after, now).state is (Usable.UNKNOWN if is_doubt else Usable.YES)
    assert trust.of(after, now) is (Trust.SUSPECT if is_doubt else Trust.AGEING)
    said = await aed_reports.list_reports(conn, aed.id)
    assert [one.verdict for one in said] == [Verdict.OPEN] * 2


async def test_AED_12_a_rejected_report_ends_its_own_doubt_only(
    conn: AsyncConnection, now: datetime
) -> None:
    aed = await add(conn, now)
    first = await report(conn, aed, ReportKind.BROKEN, now)
    second = await report(conn, aed, ReportKind.LOCKED, now + DAY)
    no = Decision(Verdict.REJECTED, "it blinks green")
    assert (await settle(conn, first, no, now + DAY)).suspect_since == now + DAY
    after = await settle(conn, second, no, now + DAY)
    assert (after.status, after.suspect_since) == (Status.IN_SERVICE, None)
    assert await settle(conn, second, no, now + 2 * DAY) == after
    with pytest.raises(aed_reports.AlreadySettled):
        await settle(conn, second, Decision(Verdict.ACCEPTED), now + 2 * DAY)


@pytest.mark.parametrize(
    ("kind", "status", "place"),
    [
        (ReportKind.MISSING, Status.OUT_OF_SERVICE, HERE),
        (ReportKind.LOCKED, Status.OUT_OF_SERVICE, HERE),
        (ReportKind.BROKEN, Status.OUT_OF_SERVICE, HERE),
        (ReportKind.CLOSED, Status.OUT_OF_SERVICE, HERE),
        (ReportKind.MOVED, Status.IN_SERVICE, THERE),
        (ReportKind.OTHER, Status.IN_SERVICE, HERE),
    ],
)
async def test_AED_12_an_accepted_report_changes_the_map(
    conn: AsyncConnection, now: datetime, kind: ReportKind, status: Status, place: Position
) -> None:
    aed = await add(conn, now)
    said = await report(conn, aed, kind, now, THERE)
    after = await settle(conn, said, Decision(Verdict.ACCEPTED), now)
    assert (after.status, after.position, after.suspect_since) == (status, place, None)
    again = await report(conn, aed, kind, now, THERE)
    kept = Decision(Verdict.ACCEPTED, status=Status.IN_SERVICE)
    assert (await settle(conn, again, kept, now)).status is Status.IN_SERVICE


async def test_AED_12_what_moved_nobody_knows_where_is_out_of_service(
    conn: AsyncConnection, now: datetime
) -> None:
    aed = await add(conn, now)
    said = await report(conn, aed, ReportKind.MOVED, now)
    after = await settle(conn, said, Decision(Verdict.ACCEPTED), now)
    assert (after.status, after.position) == (Status.OUT_OF_SERVICE, HERE)


async def test_AED_12_the_queue_holds_what_nobody_settled_oldest_first(
    conn: AsyncConnection, now: datetime
) -> None:
    aed, other = await add(conn, now, name="One"), await add(conn, now, name="Two")
    said = [
        await report(conn, one, ReportKind.BROKEN, now + n * DAY)
        for n, one in enumerate((aed, other, aed))
    ]
    await settle(conn, said[1], Decision(Verdict.REJECTED), now + 3 * DAY)
    queue = await aed_reports.queue(conn, Verdict.OPEN, org_ids=[ORG], limit=10)
    assert [(one.id, name) for one, name in queue] == [(said[0].id, "One"), (said[2].id, "One")]
    after = (said[0].at, said[0].id)
    rest = await aed_reports.queue(conn, Verdict.OPEN, org_ids=[ORG], after=after, limit=10)
    assert [one.id for one, _ in rest] == [said[2].id]
    assert not await aed_reports.queue(conn, Verdict.OPEN, org_ids=[uuid4()], limit=10)


async def test_an_operator_may_settle_it_without_a_check(
    conn: AsyncConnection, now: datetime
) -> None:
    aed = await add(conn, now)
    await report(conn, aed, ReportKind.BROKEN, now)
    back = await aeds.change(
        conn, aed.id, {"status": Status.IN_SERVICE}, version=2, actor_id=None, now=now
    )
    assert aeds.usable(back, now).state is Usable.YES


# ---- checks


@pytest.mark.parametrize(
    ("result", "state", "taken"),
    [
        (CheckResult.OK, Usable.YES, False),
        (CheckResult.FAULT, Usable.NO, False),
        (CheckResult.MISSING, Usable.NO, True),
    ],
)
async def test_AED_13_a_check_settles_what_is_open(
    conn: AsyncConnection, now: datetime, result: CheckResult, state: Usable, taken: bool
) -> None:
    status = Status.IN_SERVICE if result is CheckResult.OK else Status.OUT_OF_SERVICE
    aed = await add(conn, now, battery_expires_on=date(2027, 1, 1))
    await report(conn, aed, ReportKind.BROKEN, now)
    await aed_uses.take(conn, aed.id, actor_id=None, now=now)
    later = now + timedelta(hours=1)
    look = Look(result, pads_expire_on=date(2028, 5, 1))
    await aed_checks.add_check(conn, aed.id, look, actor_id=None, now=later)
    after = await aeds.get(conn, aed.id)
    assert (after.status, aeds.usable(after, later).state) == (status, state)
    assert after.verified_at == (later if result is CheckResult.OK else None)
    assert (after.pads_expire_on, after.battery_expires_on) == (
        date(2028, 5, 1),
        date(2027, 1, 1),
    )
    assert (after.taken_at is not None) == taken
    assert (await aed_uses.find_open(conn, aed.id) is not None) == taken
    assert (await aed_reports.list_reports(conn, aed.id))[0].settled_at == later
    assert [check.result for check in await aed_checks.list_checks(conn, aed.id)] == [result]


async def test_AED_13_a_check_from_afar_is_flagged(conn: AsyncConnection, now: datetime) -> None:
    aed = await add(conn, now)
    metre = 1 / 111_195
    far = []
    for away in (None, 95, 105):
        place = None if away is None else Position(HERE.lon, HERE.lat + away * metre)
        look = Look(CheckResult.OK, position=place)
        check = await aed_checks.add_check(conn, aed.id, look, actor_id=None, now=now)
        far.append(check.is_far)
    assert far == [False, False, True]


# ---- uses


async def test_AED_14_from_taking_to_return_nobody_is_sent_for_it(
    conn: AsyncConnection, now: datetime
) -> None:
    aed = await add(conn, now)
    use = await aed_uses.take(conn, aed.id, actor_id=None, now=now)
    taken = await aeds.get(conn, aed.id)
    assert aeds.usable(taken, now).reason is Reason.TAKEN
    with pytest.raises(aed_uses.AlreadyTaken):
        await aed_uses.take(conn, aed.id, actor_id=None, now=now)
    for _ in range(2):
        back = await aed_uses.give_back(
            conn, aed.id, use.id, pads_used=False, actor_id=None, now=now + DAY
        )
        assert (back.returned_at, back.pads_used) == (now + DAY, False)
    assert aeds.usable(await aeds.get(conn, aed.id), now).state is Usable.YES
    used = await aed_uses.take(conn, aed.id, actor_id=None, now=now)
    await aed_uses.give_back(conn, aed.id, used.id, pads_used=True, actor_id=None, now=now)
    bare = await aeds.get(conn, aed.id)
    assert (bare.status, bare.taken_at) == (Status.OUT_OF_SERVICE, None)
    look = Look(CheckResult.OK)
    await aed_checks.add_check(conn, aed.id, look, actor_id=None, now=now)
    assert aeds.usable(await aeds.get(conn, aed.id), now).state is Usable.YES
    assert len(await aed_uses.list_uses(conn, aed.id)) == 2


# ---- devices that travel


async def test_AED_15_a_place_follows_the_vehicle_and_grows_old(
    conn: AsyncConnection, now: datetime
) -> None:
    aed = await add(conn, now, carrier="taxi 1")
    later = now + timedelta(minutes=29)
    moved = await aeds.move(conn, aed.id, THERE, at=later, accuracy_m=8.0, now=later)
    assert (moved.position, moved.version, moved.position_method) == (THERE, 1, "carrier")
    late = await aeds.move(conn, aed.id, HERE, at=now, now=later)
    assert late.position == THERE
    assert aeds.usable(moved, later + timedelta(minutes=30)).state is Usable.YES
    old = aeds.usable(moved, later + timedelta(minutes=30, seconds=1))
    assert (old.state, old.reason) == (Usable.UNKNOWN, Reason.POSITION_OLD)
    found = await aeds.near(conn, THERE, within_m=10, limit=5)
    assert [one.id for one in found] == [aed.id]
    still = await add(conn, now)
    with pytest.raises(aeds.NotMobile):
        await aeds.move(conn, still.id, THERE, at=later, now=later)


# ---- reminders


async def test_AED_16_each_stage_is_told_once(conn: AsyncConnection, now: datetime) -> None:
    aed = await add(conn, now, check_every_days=30, verified_at=now)
    await add(conn, now, verified_at=now)
    await add(conn, now, check_every_days=3, verified_at=now, status=Status.OUT_OF_SERVICE)
    told: list[tuple[int, Stage]] = []
    for hour in range(0, 24 * 32, 8):
        at = now + timedelta(hours=hour)
        for one in await aed_reminders.take_new(conn, now=at):
            assert (one.aed_id, one.due_at) == (aed.id, now + 30 * DAY)
            told.append((hour, one.stage))
            is_out = aeds.usable(await aeds.get(conn, aed.id), at).state is Usable.UNKNOWN
            assert is_out == (one.stage is Stage.OVERDUE)
    assert told == [(23 * 24, Stage.FIRST), (26 * 24, Stage.SECOND), (30 * 24, Stage.OVERDUE)]
    looked = now + 31 * DAY
    await aed_checks.add_check(conn, aed.id, Look(CheckResult.OK), actor_id=None, now=looked)
    assert await aed_reminders.take_new(conn, now=looked) == []
    again = await aed_reminders.take_new(conn, now=looked + 27 * DAY)
    assert [one.stage for one in again] == [Stage.SECOND]


async def test_AED_16_what_was_never_looked_at_is_overdue(
    conn: AsyncConnection, now: datetime
) -> None:
    aed = await add(conn, now, check_every_days=30)
    assert aed.check_due_at == now
    told = await aed_reminders.take_new(conn, now=now)
    assert [(one.aed_id, one.stage) for one in told] == [(aed.id, Stage.OVERDUE)]


# ---- photos


def drawn(kind: str, size: tuple[int, int], mode: str = "RGB", **options: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size).save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")]
)
def test_AED_17_a_photo_is_made_small(kind: str, mode: str) -> None:
    picture = aed_photos.encode(drawn(kind, (3200, 800), mode))
    with Image.open(io.BytesIO(picture.content)) as kept:
        assert (kept.format, kept.size) == ("JPEG", (1600, 400))
    assert (picture.width, picture.height) == (1600, 400)


def test_AED_17_a_photo_tells_nothing_of_who_took_it_where() -> None:
    notes = Image.Exif()
    notes[0x0112] = 6  # held upright
    notes[0x010F] = "Maker"
    notes.get_ifd(0x8825)[2] = (43.0, 44.0, 0.0)  # latitude
    picture = aed_photos.encode(drawn("JPEG", (640, 480), exif=notes, comment=b"me"))
    with Image.open(io.BytesIO(picture.content)) as kept:
        assert kept.size == (480, 640)
        assert not kept.getexif()
        assert "comment" not in kept.info
    assert b"Maker" not in picture.content


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<svg/>", drawn("GIF", (8, 8)), drawn("JPEG", (64, 64))[:200],
     drawn("PNG", (9000, 9000), mode="1")],
)  # fmt: skip
def test_AED_17_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(aed_photos.NotAPicture):
        aed_photos.encode(content)


async def test_AED_17_a_device_has_eight_photos_at_most(
    conn: AsyncConnection, now: datetime
) -> None:
    aed = await add(conn, now)
    picture = aed_photos.encode(drawn("JPEG", (16, 8)))
    kinds = [aed_photos.PhotoKind.CABINET, aed_photos.PhotoKind.SURROUNDINGS]
    for kind in kinds * 4:
        photo = await aed_photos.add(conn, aed.id, kind, picture, actor_id=None, now=now)
    shown = await aed_photos.list_of(conn, aed.id)
    assert [one.kind for one in shown] == [kinds[1]] * 4 + [kinds[0]] * 4
    with pytest.raises(aed_photos.TooManyPhotos):
        await aed_photos.add(conn, aed.id, kinds[0], picture, actor_id=None, now=now)
    assert await aed_photos.content(conn, aed.id, photo.id) == picture.content
    await aeds.withdraw(conn, aed.id, actor_id=None, now=now)
    with pytest.raises(aed_photos.PhotoMissing):
        await aed_photos.content(conn, aed.id, photo.id)
    await aed_photos.remove(conn, aed.id, photo.id)
    with pytest.raises(aed_photos.PhotoMissing):
        await aed_photos.remove(conn, aed.id, photo.id)


async def test_AED_8_rows_from_before_there_were_all_columns_can_be_read(
    conn: AsyncConnection, now: datetime
) -> None:
    """The history of an older release lacks what this one keeps."""
    aed = await add(conn, now, name="Old")
    await aeds.change(conn, aed.id, {"name": "New"}, version=1, actor_id=None, now=now + DAY)
    await conn.execute(text("update aed_history set row = row - 'source_crs' - 'carrier'"))
    then = await aed_history.as_of(conn, now, aed_id=aed.id)
    assert [(one.name, one.source_crs, one.carrier) for one in then] == [("Old", "wgs84", None)]
