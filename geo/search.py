"""Find an address, street, place or AED from what an operator types while the caller speaks."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.position import Position, distance_m

# What people type for what signs say; both sides are written out before they are compared.
_WRITTEN_OUT = {
    "av": "avenue",
    "ave": "avenue",
    "bd": "boulevard",
    "bld": "boulevard",
    "blvd": "boulevard",
    "pl": "place",
    "rte": "route",
    "imp": "impasse",
    "sq": "square",
    "rd": "road",
    "str": "strasse",
}
_CANDIDATES = 120
# Beyond this distance a place nearby no longer beats a better match of the words.
_FAR_M = 30_000.0


@dataclass(frozen=True, slots=True)
class Place:
    """One answer; `kind` is address, street, place, poi or aed."""

    text: str
    kind: str
    position: Position


@dataclass(frozen=True, slots=True)
class _Match:
    place: Place
    rank: int


def fold(text_: str) -> str:
    """Bring text into the form that is stored and searched.

    Small letters without accents, punctuation as spaces, every Chinese character a word of its
    own (so that two characters find something), common abbreviations written out. Starts with a
    space, so that ` word` always means the beginning of a word.
    """
    plain = unicodedata.normalize("NFKD", text_.replace("ß", "ss")).casefold()
    spaced = "".join(_spaced(c) for c in plain if not unicodedata.combining(c))
    return "".join(f" {_WRITTEN_OUT.get(word, word)}" for word in spaced.split())


def _spaced(character: str) -> str:
    if "\u2e80" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff":
        return f" {character} "
    return character if character.isalnum() else " "


async def find(
    conn: AsyncConnection, query: str, *, near: Position | None = None, limit: int = 10
) -> list[Place]:
    """List the places that fit the words best, near ones first among equals.

    Word order does not matter (`12 avenue X`, `avenue X 12`). A house number that is not on
    record gives the street. Words with a typing error are found by likeness when nothing else is.
    """
    words = fold(query)[:200].split()
    if not words:
        return []
    found = await _with_words(conn, words)
    named = [word for word in words if not word[0].isdigit()]
    if named != words and not any(match.place.kind == "address" for match in found):
        found += await _with_words(conn, named)
    if not found and named:
        found = await _alike(conn, named)
    ranked = sorted(found, key=lambda match: (_badness(match, words, near), match.place.text))
    return _distinct(ranked, limit)


# Served by ix_address_folded_trgm and ix_aed_folded_trgm: the longest word goes to the index,
# the others filter what it gives.
_WITH_WORDS = text("""
select text, kind, rank, ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat
from (
  select text, kind, rank, folded, position from address
  where folded like :longest and folded like all(cast(:patterns as text[]))
  union all
  select concat_ws(', ', name, address), 'aed', 3, folded, position from aed
  where status <> 'withdrawn'
    and folded like :longest and folded like all(cast(:patterns as text[]))
) found
order by similarity(folded, :query) - rank * 0.02 desc, text
limit :limit
""")


async def _with_words(conn: AsyncConnection, words: Sequence[str]) -> list[_Match]:
    patterns = [f"% {word}%" for word in words]
    binds = {"patterns": patterns, "longest": max(patterns, key=len)}
    return await _matches(conn, _WITH_WORDS, words, binds)


# pg_trgm's own 0.6 forgives no swapped letters. For this transaction only.
_FORGIVING = text("select set_config('pg_trgm.word_similarity_threshold', '0.4', true)")

# `<%` is pg_trgm's "some stretch of words is alike"; it uses the same two indexes.
_ALIKE = text("""
select text, kind, rank, ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat
from (
  select text, kind, rank, folded, position from address where :query <% folded
  union all
  select concat_ws(', ', name, address), 'aed', 3, folded, position from aed
  where status <> 'withdrawn' and :query <% folded
) found
order by word_similarity(:query, folded) - rank * 0.02 desc, text
limit :limit
""")


async def _alike(conn: AsyncConnection, words: Sequence[str]) -> list[_Match]:
    await conn.execute(_FORGIVING)
    return await _matches(conn, _ALIKE, words, {})


async def _matches(
    conn: AsyncConnection,
    statement: TextClause,
    words: Sequence[str],
    binds: Mapping[str, Sequence[str]],
) -> list[_Match]:
    rows = await conn.execute(statement, {**binds, "query": " ".join(words), "limit": _CANDIDATES})
    return [_Match(Place(row.text, row.kind, Position(row.lon, row.lat)), row.rank) for row in rows]


def _badness(match: _Match, words: Sequence[str], near: Position | None) -> float:
    """Weigh a match, 0 is perfect: other numbers, half words, words not asked for, kind, distance.

    A street stands for the doors on it that nobody has recorded.
    """
    its = fold(match.place.text).split()
    missing = [word for word in words if word not in its]
    no_number = sum(word[0].isdigit() for word in missing)
    half_words = len(missing) - no_number
    not_asked = 1 - min(1.0, len(words) / max(1, len(its)))
    away = 0.0
    if near is not None:
        away = min(1.0, distance_m(near, match.place.position) / _FAR_M)
    number_weight = 0.3 if match.place.kind == "street" else 2.0
    return number_weight * no_number + 0.2 * half_words + not_asked + 0.03 * match.rank + away


def _distinct(matches: Sequence[_Match], limit: int) -> list[Place]:
    """Keep the first of places with the same words: a street comes once, not once a district."""
    kept: list[Place] = []
    for match in matches:
        place = match.place
        if all(
            place.text != other.text or distance_m(place.position, other.position) > 300
            for other in kept
        ):
            kept.append(place)
        if len(kept) == limit:
            break
    return kept
