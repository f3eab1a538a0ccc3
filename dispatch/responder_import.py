"""Merge a list of volunteers into the roster of one organisation, as a whole or not at all.

A person keeps their identity over later lists by their code, else by their user name, else by name
and phone. A cell that is empty says nothing, so that what the office added by hand stays. Several
rows of one person bring several certificates; a revoked one stays revoked. A second import of the
same list changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import certificates, states, store, tables

#: No other import may run in an organisation meanwhile; the number only has to be ours.
_LOCK_SPACE = 4_712_014
_PERSON = ("name", "name_en", "phone", "username")
_RESPONDER = ("code", "note", "skills", "born_on")


class Outcome(StrEnum):
    """What became of a row."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    #: The code is that of somebody with another name, here or in an earlier row.
    CODE_TAKEN = "code_taken"
    #: The user name belongs to somebody else.
    USERNAME_TAKEN = "username_taken"


@dataclass(frozen=True, slots=True)
class ResponderRow:
    """One usable row; `facts` are columns of person and responder that it speaks of."""

    number: int
    name: str
    facts: Mapping[str, Any]
    proof: certificates.Proof | None = None

    @property
    def code(self) -> str | None:
        """Give the volunteer's number in the organisation, if the row has one."""
        return self.facts.get("code")


@dataclass(slots=True)
class _Someone:
    """A person of the roster, or one who is about to be."""

    id: UUID
    facts: dict[str, Any]
    is_new: bool = False
    proofs: list[dict[str, Any]] = field(default_factory=list)
    person: dict[str, Any] = field(default_factory=dict)
    responder: dict[str, Any] = field(default_factory=dict)
    new_proofs: list[certificates.Proof] = field(default_factory=list)
    mended: list[dict[str, Any]] = field(default_factory=list)


async def merge(
    conn: AsyncConnection, org_id: UUID, rows: Sequence[ResponderRow]
) -> dict[int, Outcome]:
    """Bring the roster up to the list, in the caller's transaction; say what became of each row."""
    lock = sa.func.pg_advisory_xact_lock(_LOCK_SPACE, sa.func.hashtext(str(org_id)))
    await conn.execute(sa.select(lock))
    known = _Known(await _present(conn, org_id), await _usernames(conn, rows))
    outcomes = {row.number: known.take(row) for row in rows}
    await _add(conn, org_id, known.new())
    await _change(conn, known.changed())
    return outcomes


class _Known:
    """Everybody by all that they are recognised by."""

    def __init__(self, people: Iterable[_Someone], usernames: Mapping[str, UUID]) -> None:
        self._people: dict[UUID, _Someone] = {}
        self._by_code: dict[str, _Someone] = {}
        self._by_username: dict[str, _Someone] = {}
        self._by_contact: dict[tuple[str, str], _Someone] = {}
        self._usernames = dict(usernames)
        for person in people:
            self._index(person)

    def _index(self, person: _Someone) -> None:
        facts = person.facts
        self._people[person.id] = person
        if facts.get("code"):
            self._by_code[facts["code"]] = person
        if facts.get("username"):
            self._by_username[facts["username"]] = person
            self._usernames[facts["username"]] = person.id
        if facts.get("phone"):
            self._by_contact.setdefault((facts["name"], facts["phone"]), person)

    def take(self, row: ResponderRow) -> Outcome:
        """Note what a row says of whom, and whether that is new."""
        person = self._find(row)
        if (
            person is not None
            and row.code
            and person.facts["name"] != row.name
            and not _is_renamed(person, row)
        ):
            return Outcome.CODE_TAKEN
        owner = self._usernames.get(row.facts.get("username") or "")
        if owner is not None and (person is None or owner != person.id):
            return Outcome.USERNAME_TAKEN
        if person is None:
            person = _Someone(store.new_id(), {"name": row.name, **row.facts}, is_new=True)
            self._index(person)
            _take_proof(person, row.proof)
            return Outcome.ADDED
        is_changed = _take_facts(person, row) | _take_proof(person, row.proof)
        self._index(person)
        return Outcome.CHANGED if is_changed else Outcome.UNCHANGED

    def _find(self, row: ResponderRow) -> _Someone | None:
        if row.code:
            found = self._by_code.get(row.code)
            if found is not None:
                return found
        username, phone = row.facts.get("username"), row.facts.get("phone")
        if username and username in self._by_username:
            return self._by_username[username]
        found = self._by_contact.get((row.name, phone)) if phone else None
        # Two codes are two people, of whatever name and phone.
        is_other = found is not None and row.code and found.facts.get("code")
        return None if is_other else found

    def new(self) -> list[_Someone]:
        """Give everybody who is not in the roster yet."""
        return [person for person in self._people.values() if person.is_new]

    def changed(self) -> list[_Someone]:
        """Give everybody of whom something new was said."""
        return [person for person in self._people.values() if not person.is_new]


def _is_renamed(person: _Someone, row: ResponderRow) -> bool:
    """Tell a corrected name from another person: the phone or the birthday is the same."""
    return any(
        row.facts.get(name) is not None and row.facts[name] == person.facts.get(name)
        for name in ("phone", "born_on", "username")
    )


def _take_facts(person: _Someone, row: ResponderRow) -> bool:
    said = {"name": row.name, **{key: value for key, value in row.facts.items() if value}}
    changed = {key: value for key, value in said.items() if person.facts.get(key) != value}
    person.facts |= changed
    person.person |= {key: changed[key] for key in _PERSON if key in changed}
    person.responder |= {key: changed[key] for key in _RESPONDER if key in changed}
    return bool(changed)


def _take_proof(person: _Someone, proof: certificates.Proof | None) -> bool:
    """Note a certificate that is new or says something else; return whether it does."""
    if proof is None:
        return False
    said = {
        "kind": proof.kind,
        "number": proof.number,
        "issuer": proof.issuer,
        "issued_on": proof.issued_on,
        "expires_on": proof.expires_on,
    }
    held = next((one for one in person.proofs if _is_same(one, proof)), None)
    if held is None:
        person.proofs.append(said)
        person.new_proofs.append(proof)
        return True
    more = {key: value for key, value in said.items() if value and held.get(key) != value}
    if more and "id" in held:
        person.mended.append({"held_id": held["id"], **held, **more})
    held |= more
    return bool(more)


def _is_same(held: Mapping[str, Any], proof: certificates.Proof) -> bool:
    if held["kind"] != proof.kind:
        return False
    if held["number"] and proof.number:
        return bool(held["number"] == proof.number)
    return bool(held["expires_on"] == proof.expires_on)


async def _present(conn: AsyncConnection, org_id: UUID) -> list[_Someone]:
    person, responder, held = tables.person.c, tables.responder.c, tables.certificate
    rows = await conn.execute(
        sa.select(
            responder.id, *(person[name] for name in _PERSON),
            *(responder[name] for name in _RESPONDER),
        )
        .join_from(tables.responder, tables.person, person.id == responder.id)
        .where(responder.org_id == org_id)
        .order_by(responder.id)
        .with_for_update(key_share=True, of=tables.responder)
    )  # fmt: skip
    people = {
        row["id"]: _Someone(row["id"], {**row, "skills": tuple(row["skills"])})
        for row in rows.mappings()
    }
    owned = await conn.execute(
        sa.select(held)
        .join(tables.responder, responder.id == held.c.responder_id)
        .where(responder.org_id == org_id)
        .order_by(held.c.id)
    )
    for row in owned.mappings():
        people[row["responder_id"]].proofs.append(dict(row))
    return list(people.values())


async def _usernames(conn: AsyncConnection, rows: Sequence[ResponderRow]) -> dict[str, UUID]:
    """Find who has the user names of the list already, in whichever organisation."""
    person = tables.person.c
    wanted = [row.facts["username"] for row in rows if row.facts.get("username")]
    found = await conn.execute(
        sa.select(person.username, person.id).where(person.username.in_(wanted))
    )
    return {row.username: row.id for row in found}


async def _add(conn: AsyncConnection, org_id: UUID, people: Sequence[_Someone]) -> None:
    if not people:
        return
    role = states.OrgRole.RESPONDER.value
    await conn.execute(
        sa.insert(tables.person),
        [
            {"id": one.id, "org_id": org_id, **{key: one.facts.get(key) for key in _PERSON}}
            for one in people
        ],
    )
    await conn.execute(
        sa.insert(tables.membership),
        [{"person_id": one.id, "org_id": org_id, "role": role} for one in people],
    )
    await conn.execute(
        sa.insert(tables.responder),
        [
            {
                "id": one.id,
                "org_id": org_id,
                **{key: one.facts.get(key) for key in _RESPONDER},
                "skills": list(one.facts.get("skills") or ()),
            }
            for one in people
        ],
    )
    await _add_proofs(conn, people)


async def _change(conn: AsyncConnection, people: Sequence[_Someone]) -> None:
    person, responder, held = tables.person, tables.responder, tables.certificate
    for one in people:
        if not (one.person or one.responder or one.new_proofs or one.mended):
            continue
        if one.person:
            await conn.execute(sa.update(person).where(person.c.id == one.id).values(**one.person))
        await conn.execute(
            sa.update(responder)
            .where(responder.c.id == one.id)
            .values(**one.responder, version=responder.c.version + 1)
        )
        for mended in one.mended:
            said = {key: mended[key] for key in ("number", "issuer", "issued_on", "expires_on")}
            await conn.execute(sa.update(held).where(held.c.id == mended["held_id"]).values(**said))
    await _add_proofs(conn, people)


async def _add_proofs(conn: AsyncConnection, people: Sequence[_Someone]) -> None:
    rows = [
        {"id": store.new_id(), "responder_id": one.id, **_columns(proof)}
        for one in people
        for proof in one.new_proofs
    ]
    if rows:
        await conn.execute(sa.insert(tables.certificate), rows)


def _columns(proof: certificates.Proof) -> dict[str, str | date | None]:
    return {
        "kind": proof.kind,
        "number": proof.number,
        "issuer": proof.issuer,
        "issued_on": proof.issued_on,
        "expires_on": proof.expires_on,
        "status": proof.status,
    }
