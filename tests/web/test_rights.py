"""The one function that decides, without a server: every role, action and place."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import accounts, errors, orgs
from dispatch.states import OrgRole
from web import auth, rights
from web.rights import Action, Thing

OWN = {Action.OWN_SEE, Action.OWN_CHANGE}


def _org(path: str) -> orgs.Org:
    code = path.rstrip("/").rpartition("/")[2]
    return orgs.Org(uuid4(), code, code, code, 3, None, path, None, "UTC", False, 1)  # noqa: FBT003


def _caller(
    *grants: tuple[OrgRole, str], scopes: Iterable[str] = (), home: str = "cn/wh/"
) -> auth.Caller:
    person = accounts.Person(uuid4(), "n", None, None, None, "zh", False)  # noqa: FBT003
    given_ = tuple(accounts.Grant(role, uuid4(), path) for role, path in grants)
    return auth.Caller(person, _org(home), given_, frozenset(scopes))


def _allowed(caller: auth.Caller, thing: Thing) -> set[Action]:
    return {action for action in Action if rights.may(caller, action, thing)}


@pytest.mark.parametrize("role", OrgRole)
def test_RGT_6_a_role_holds_in_its_organisation_and_below_and_nowhere_else(role: OrgRole) -> None:
    caller = _caller((role, "cn/wh/"))
    inside = rights.ROLES[role]
    assert _allowed(caller, Thing("cn/wh/")) == inside
    assert _allowed(caller, Thing("cn/wh/ha/")) == inside
    for path in ("cn/", "cn/bj/", "cn/wh2/", "", None):
        assert _allowed(caller, Thing(path)) == set()


@given(
    role=st.sampled_from(OrgRole),
    held=st.lists(st.sampled_from("abc"), min_size=1, max_size=3),
    place=st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
    action=st.sampled_from(Action),
)
def test_RGT_6_for_any_tree(
    role: OrgRole, held: list[str], place: list[str], action: Action
) -> None:
    path = "".join(f"{code}/" for code in held)
    caller = _caller((role, path), home=path)
    thing = Thing("".join(f"{code}/" for code in place))
    is_below = place[: len(held)] == held
    assert rights.may(caller, action, thing) == (is_below and action in rights.ROLES[role])


@pytest.mark.parametrize("role", OrgRole)
def test_RGT_2_what_is_personal_is_for_the_person_alone(role: OrgRole) -> None:
    caller = _caller((role, "cn/wh/"))
    assert _allowed(caller, Thing("cn/wh/", caller.id)) >= OWN
    assert not _allowed(caller, Thing("cn/wh/", uuid4())) & OWN


def test_the_roles_are_those_of_the_contract() -> None:
    assert rights.ROLES.keys() == set(OrgRole)
    sees = {action for action in Action if action.value.endswith(":see")}
    assert rights.ROLES[OrgRole.AUDITOR] < sees
    assert Action.CALLER_PHONE_SEE not in rights.ROLES[OrgRole.AUDITOR]
    assert Action.STOCK_CHANGE in rights.ROLES[OrgRole.KEEPER]
    assert Action.INCIDENT_SEE not in rights.ROLES[OrgRole.RESPONDER]
    assert Action.INCIDENT_SEE not in rights.ROLES[OrgRole.PLANNER]


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["incident:see"], {Action.INCIDENT_SEE}),
        (["incident"], {Action.INCIDENT_SEE, Action.INCIDENT_RUN}),
        (["aed:change", "org"], {Action.AED_CHANGE, Action.ORG_SEE}),
        (["nonsense"], set()),
    ],
)
def test_RGT_7_a_scope_only_takes_away(scopes: list[str], allowed: set[Action]) -> None:
    caller = _caller((OrgRole.OPERATOR, "cn/wh/"), scopes=scopes)
    assert _allowed(caller, Thing("cn/wh/")) == allowed


def test_RGT_7_a_reading_token_reads() -> None:
    caller = _caller((OrgRole.ADMIN, "cn/wh/"), scopes=["read"])
    assert all(action.value.endswith(":see") for action in _allowed(caller, Thing("cn/wh/")))
    assert rights.is_scope("read")
    assert rights.is_scope("stock:change")
    assert not rights.is_scope("root")


def test_RGT_1_what_is_foreign_is_missing_and_what_is_seen_is_refused() -> None:
    auditor = _caller((OrgRole.AUDITOR, "cn/wh/"))
    with pytest.raises(rights.NotAllowed):
        rights.require(auditor, Action.INCIDENT_RUN, Thing("cn/wh/"))
    with pytest.raises(errors.NotFound):
        rights.require(auditor, Action.INCIDENT_RUN, Thing("cn/bj/"))
    responder = _caller((OrgRole.RESPONDER, "cn/wh/"))
    with pytest.raises(errors.NotFound):
        rights.require(responder, Action.INCIDENT_SEE, Thing("cn/wh/"))
    rights.require(_caller((OrgRole.OPERATOR, "cn/")), Action.INCIDENT_RUN, Thing("cn/wh/"))


def test_lists_hold_the_widest_places_once() -> None:
    caller = _caller(
        (OrgRole.OPERATOR, "cn/wh/"), (OrgRole.OPERATOR, "cn/wh/ha/"), (OrgRole.KEEPER, "cn/bj/")
    )
    assert rights.reach(caller, Action.INCIDENT_SEE) == ["cn/wh/"]
    assert rights.reach(caller, Action.STOCK_SEE) == ["cn/bj/", "cn/wh/"]
    with pytest.raises(rights.NotAllowed):
        rights.reach(caller, Action.ORG_CHANGE)


def test_a_new_thing_goes_to_ones_own_organisation_if_it_may() -> None:
    caller = _caller((OrgRole.OPERATOR, "cn/bj/"), (OrgRole.KEEPER, "cn/wh/"))
    assert rights.home(caller, Action.STOCK_CHANGE) == "cn/wh/"
    assert rights.home(caller, Action.INCIDENT_RUN) == "cn/bj/"


def test_nobody_may_anything_without_a_role() -> None:
    caller = _caller()
    assert _allowed(caller, Thing("cn/wh/")) == set()
    assert _allowed(caller, Thing(person_id=UUID(int=0))) == set()
