"""A volunteer's phone: another task, thanks instead of a stop, what keeps calls away, aftercare."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from live_processes import IS_LONG
from playwright.sync_api import Browser, Page, expect

from tests.system.phones import (
    PHONE,
    WHERE,
    People,
    ask,
    beside_patient,
    come,
    go_offline,
    go_online,
    hang,
    only_on_duty,
    sent,
    some_way_off,
)
from tests.system.screens import (
    PICTURES,
    at_home,
    axe_finds_nothing,
    map_is_drawn,
    picture,
    signed_in,
    small_targets,
)
from tests.system.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.browser]

#: Both tell the same story; the pictures want both.
LANGUAGES = ("zh", "en") if IS_LONG or PICTURES else ("en",)
NAMES = ("responder-03", "responder-04")
ME = NAMES[1]


@pytest.fixture(scope="module")
def people(whole: Whole) -> Iterator[People]:
    """Speak to the API as the operator and as two volunteers, who alone are on duty."""
    with only_on_duty(whole, NAMES) as found:
        yield found


def _place(whole: Whole, name: str) -> tuple[float, float]:
    return beside_patient(whole) if name == NAMES[0] else some_way_off(whole)


@contextmanager
def _phone(browser: Browser, whole: Whole, **look: str) -> Iterator[Page]:
    place = _place(whole, ME)
    with signed_in(browser, whole, ME, "/go", size=PHONE, position=place, **look) as phone:  # type: ignore[arg-type]  # mypy cannot tell which words of look are set
        at_home(phone)
        yield phone


@contextmanager
def _asked(
    whole: Whole, people: People, names: tuple[str, ...] = (ME,), *, exercise: bool = False
) -> Iterator[str]:
    """Ask volunteers to come to an incident."""
    operator = people["operator"]
    ids = [come(people[name], _place(whole, name)) for name in names]
    incident, _alerts = ask(whole, operator, ids, exercise=exercise)
    try:
        yield incident
    finally:
        operator.post(f"/incidents/{incident}/close", json={"disposition": "cancelled"})
        for name in names:
            _read_stand_down(people[name])


def _read_stand_down(volunteer: httpx.Client) -> None:
    """Leave nothing for the next phone to show."""
    told = sent(volunteer.get("/me"))["stand_down"]
    if told is not None:
        volunteer.post(f"/alerts/{told['alert']}/seen", json={})


@contextmanager
def _alerted(phone: Page, whole: Whole, people: People) -> Iterator[str]:
    """Ask the owner of this phone, and wait until the server knows that the alert was seen."""
    with ExitStack() as stack:
        with phone.expect_response("**/alerts/*/seen*"):
            incident = stack.enter_context(_asked(whole, people))
        yield incident


def _change(whole: Whole, statement: str, *values: object) -> None:
    with psycopg.connect(whole.database_url()) as conn:
        conn.execute(statement, values)  # type: ignore[arg-type]  # each statement is written here


def _looks_right(phone: Page, name: str) -> None:
    picture(phone, name)
    axe_finds_nothing(phone)
    assert not small_targets(phone)


@contextmanager
def _hung(whole: Whole, people: People) -> Iterator[str]:
    """Hang an AED beside the volunteer who is to fetch it."""
    operator = people["operator"]
    aed = hang(operator, _place(whole, ME), cabinet="none")
    try:
        yield aed
    finally:
        operator.delete(f"/aeds/{aed}").raise_for_status()


@pytest.mark.parametrize("language", LANGUAGES)
def test_PHN_5_one_tap_says_that_the_aed_cannot_be_had(
    whole: Whole, browser: Browser, people: People, language: str
) -> None:
    with (
        _phone(browser, whole, language=language) as phone,
        _hung(whole, people) as aed,
        _asked(whole, people, NAMES),
    ):
        phone.get_by_test_id("accept").click()
        expect(phone.get_by_test_id("mission")).to_contain_text("Mairie annexe")
        map_is_drawn(phone)
        _looks_right(phone, f"go-aed-problem-{language}")
        go_offline(phone)
        phone.get_by_test_id("aed-locked").click()
        # Without network nobody can name another AED: the patient is what is left.
        expect(phone.get_by_test_id("reported")).to_contain_text(
            "没有网络" if language == "zh" else "No network"
        )
        expect(phone.locator(".steps li")).to_have_count(4)
        go_online(phone)
        changed = phone.get_by_test_id("changed")
        expect(changed).to_contain_text("Mairie annexe")
        _looks_right(phone, f"go-changed-{language}")
        phone.get_by_test_id("changed-read").click()
        expect(changed).to_have_count(0)
        expect(phone.get_by_test_id("reported")).to_have_count(0)
        [said] = sent(people["operator"].get(f"/aeds/{aed}/reports"))["items"]
        assert said["kind"] == "locked"


_COVERED = (
    "update alert set status = 'stood_down', stood_down_at = now(), stand_down_reason = 'covered'"
    " where incident_id = %s"
)


def test_PHN_6_enough_are_going_is_no_stand_down(
    whole: Whole, browser: Browser, people: People
) -> None:
    with _phone(browser, whole) as phone, _alerted(phone, whole, people) as incident:
        _change(whole, _COVERED, UUID(incident))
        phone.reload()
        expect(phone.get_by_test_id("thanks")).to_contain_text("已有足够的人赶到")
        expect(phone.get_by_test_id("stand-down")).to_have_count(0)
        _looks_right(phone, "go-covered-zh")
        phone.get_by_test_id("thanks-read").click()
        expect(phone.get_by_test_id("duty")).to_be_visible()


@pytest.mark.long
def test_PHN_6_a_late_accept_is_thanked_for_once(
    whole: Whole, browser: Browser, people: People
) -> None:
    with _phone(browser, whole) as phone, _alerted(phone, whole, people) as incident:
        go_offline(phone)
        phone.get_by_test_id("accept").click()
        _change(whole, _COVERED, UUID(incident))
        go_online(phone)
        expect(phone.get_by_test_id("thanks")).to_contain_text("谢谢您愿意前往")
        _looks_right(phone, "go-late-zh")
        phone.get_by_test_id("thanks-read").click()
        expect(phone.get_by_test_id("duty")).to_be_visible()
        # The stand-down says the same once more: nobody has to read it.
        phone.reload()
        expect(phone.get_by_test_id("duty")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.long
def test_PHN_7_the_guide_reads_where_to_stand_and_what_to_say(
    whole: Whole, browser: Browser, people: People, language: str
) -> None:
    with (
        _phone(browser, whole, language=language) as phone,
        _asked(whole, people, exercise=True) as incident,
    ):
        phone.get_by_test_id("accept").click()
        expect(phone.get_by_test_id("mission")).to_be_visible()
        for table in ("alert", "assignment"):
            change = f"update {table} set role = 'guide', aed_id = null where incident_id = %s"  # noqa: S608  # one of two names from the line above
            _change(whole, change, UUID(incident))
        phone.reload()
        expect(phone.get_by_test_id("guide")).to_contain_text(WHERE)
        expect(phone.locator(".steps li")).to_have_count(2)
        map_is_drawn(phone)
        _looks_right(phone, f"go-guide-{language}")
        phone.get_by_test_id("mission").get_by_role("button", name="CPR").click()
        expect(phone.get_by_test_id("exercise-frame")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_PHN_8_what_keeps_calls_away_is_mended_by_one_tap(
    whole: Whole, browser: Browser, people: People, language: str
) -> None:
    always = {"from": "00:00", "until": "23:59", "except": []}
    sent(people[ME].put("/me/quiet", json=always))
    with _phone(browser, whole, language=language) as phone:
        blocked = phone.get_by_test_id("blocked")
        expect(blocked.locator("li[data-code=quiet_hours]")).to_be_visible()
        _looks_right(phone, f"go-blocked-{language}")
        blocked.locator("[data-fix=quiet]").click()
        _looks_right(phone, f"go-quiet-{language}")
        phone.get_by_test_id("quiet-clear").click()
        expect(blocked.locator("li[data-code=quiet_hours]")).to_have_count(0)
        assert sent(people[ME].get("/me"))["quiet"] is None
        readiness = phone.get_by_test_id("readiness")
        expect(readiness).to_contain_text("短信" if language == "zh" else "Text message")
        readiness.scroll_into_view_if_needed()
        _looks_right(phone, f"go-readiness-{language}")


@pytest.mark.long
def test_PHN_9_a_practice_alert_comes_from_the_server(
    whole: Whole, browser: Browser, people: People
) -> None:
    come(people[ME], _place(whole, ME))
    with _phone(browser, whole) as phone:
        phone.get_by_role("button", name="演练一次").click()
        alert = phone.get_by_test_id("alert")
        expect(alert).to_contain_text("演练")
        assert phone.title().startswith("演练")
        picture(phone, "go-practice-zh")
        listed = sent(people["operator"].get("/incidents?status=open"))["items"]
        assert listed == []
        phone.get_by_test_id("decline").click()
        expect(phone.get_by_test_id("duty")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.long
def test_PHN_10_how_somebody_is_takes_one_tap(
    whole: Whole, browser: Browser, people: People, language: str
) -> None:
    with _asked(whole, people) as incident:
        pass
    _change(
        whole,
        "insert into survey (id, responder_id, incident_id, round, exercise, asked_at)"
        " select %s, responder_id, incident_id, 1, false, now() from alert where incident_id = %s",
        uuid4(),
        UUID(incident),
    )
    with _phone(browser, whole, language=language) as phone:
        expect(phone.get_by_test_id("survey")).to_be_visible()
        _looks_right(phone, f"go-survey-{language}")
        phone.locator("[data-impact=severe]").click()
        after = phone.get_by_test_id("survey-after")
        expect(after).to_contain_text("12356")
        _looks_right(phone, f"go-survey-severe-{language}")
        phone.get_by_test_id("survey-done").click()
        expect(phone.get_by_test_id("survey")).to_have_count(0)
        rest = phone.get_by_test_id("blocked").locator("li[data-code=resting]")
        expect(rest).to_be_visible()
        rest.locator("[data-fix=end_rest]").click()
        expect(rest).to_have_count(0)
