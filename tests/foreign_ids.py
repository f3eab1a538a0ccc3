"""Every request that carries an id, made from the OpenAPI text: for tests that swap the ids.

A new route is taken in by itself. A new kind of id must be named in NOUNS, else the test fails.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import uuid4

Schema = Mapping[str, Any]

#: Which thing an id means, by the name of the parameter or field that carries it.
NOUNS = {
    "incident_id": "incident",
    "incident": "incident",
    "into": "incident",
    "disaster_id": "disaster",
    "disaster": "disaster",
    "value_id": "value",
    "attachment_id": "attachment",
    "alert_id": "alert",
    "assignment_id": "assignment",
    "responder_id": "responder",
    "responders": "responder",
    "leader": "responder",
    "members": "responder",
    "team_id": "team",
    "team": "team",
    "org_id": "org",
    "org": "org code",
    "parent": "org code",
    "aed_id": "aed",
    "photo_id": "photo",
    "report_id": "report",
    "use_id": "use",
    "tracker_id": "tracker",
    "certificate_id": "certificate",
    "import_id": "import",
    "strike": "line",
    "depot": "depot",
    "from_depot": "depot",
    "to_depot": "other depot",
    "transfer_id": "transfer",
    "line": "transfer line",
    "item": "item",
    "lot": "lot",
    "reservation_id": "reservation",
    "policy_id": "policy",
    "simulation_id": "simulation",
    "simulation_report_id": "simulation report",
    "task_id": "task",
    "survey_id": "survey",
}
#: Names that are ids only where the schema says so: an item is elsewhere named by its code.
CODES = {"org", "parent"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `noun` is the kind of thing whose id was swapped, `swapped` that id."""

    verb: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None
    noun: str
    where: str

    @property
    def name(self) -> str:
        """Name it for a report."""
        return f"{self.verb} {self.path} with a foreign {self.where}"


def requests(
    openapi: Schema, own: Mapping[str, str], foreign: Mapping[str, str]
) -> Iterator[Request]:
    """Make every request of the text once per id in it, that id being the foreign one."""
    for path, verbs in sorted(openapi["paths"].items()):
        for verb, operation in verbs.items():
            yield from _of_operation(
                openapi, path, verb.upper(), operation, own=own, foreign=foreign
            )


def _of_operation(
    openapi: Schema,
    path: str,
    verb: str,
    operation: Schema,
    *,
    own: Mapping[str, str],
    foreign: Mapping[str, str],
) -> Iterator[Request]:
    schema = _body_schema(openapi, operation)
    parameters = operation.get("parameters", ())
    words = _path_words(openapi, parameters)
    for chosen in product(*words.values()):
        fixed = dict(zip(words, chosen, strict=True))
        for place, noun in _ids(openapi, path, fixed, parameters, schema):
            names = dict.fromkeys(NOUNS, own) | {place: foreign}
            filled = {name: fixed.get(name) or _id(name, names) for name in _path_names(path)}
            yield Request(
                verb,
                path.format(**filled),
                _query(parameters, place, names),
                None if schema is None else _body(openapi, schema, place, names),
                noun,
                place,
            )


def _path_names(path: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(path) if name]


def _path_words(openapi: Schema, parameters: Any) -> dict[str, list[str]]:
    """Give the values of path parameters that are one of a few words, such as a step."""
    return {
        item["name"]: _resolved(openapi, item["schema"])["enum"]
        for item in parameters
        if item["in"] == "path" and "enum" in _resolved(openapi, item["schema"])
    }


def _ids(
    openapi: Schema, path: str, fixed: Mapping[str, str], parameters: Any, schema: Schema | None
) -> Iterator[tuple[str, str]]:
    """Name every place of a request that carries an id, with the kind of thing it means."""
    formats = {item["name"]: item["schema"] for item in parameters if item["in"] != "header"}
    for name in _path_names(path):
        if name not in fixed and _is_id(openapi, name, formats[name]):
            yield name, NOUNS[name]
    for item in parameters:
        if item["in"] == "query" and _is_id(openapi, item["name"], item["schema"]):
            yield item["name"], NOUNS[item["name"]]
    for name, part in (schema or {}).get("properties", {}).items():
        if _is_id(openapi, name, part):
            yield name, NOUNS[name]


def _is_id(openapi: Schema, name: str, schema: Schema) -> bool:
    return name in CODES or any(
        part.get("format") == "uuid" or part.get("items", {}).get("format") == "uuid"
        for part in _alternatives(openapi, schema)
    )


def _id(name: str, names: Mapping[str, Mapping[str, str]]) -> str:
    return names[name][NOUNS[name]]


def _query(parameters: Any, place: str, names: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    sent = {
        item["name"]: "43.7" if item["name"] == "lat" else "7.4"
        for item in parameters
        if item["in"] == "query" and item.get("required")
    }
    if any(item["in"] == "query" and item["name"] == place for item in parameters):
        sent[place] = _id(place, names)
    return sent


def _body_schema(openapi: Schema, operation: Schema) -> Schema | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    return next(
        part for part in _alternatives(openapi, content["schema"]) if part.get("type") != "null"
    )


def _body(
    openapi: Schema, schema: Schema, place: str, names: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    wanted = {*schema.get("required", ()), *({place} & schema.get("properties", {}).keys())}
    body = {
        name: _value(openapi, name, part, names)
        for name, part in schema.get("properties", {}).items()
        if name in wanted
    }
    # A line is added with a text or struck by an id; one of both is always needed.
    if schema.get("title") == "NewLine" and "strike" not in body:
        body["text"] = "a note"
    return body


def _value(
    openapi: Schema, name: str, schema: Schema, names: Mapping[str, Mapping[str, str]]
) -> Any:
    part = next(p for p in _alternatives(openapi, schema) if p.get("type") != "null")
    if _is_id(openapi, name, part):
        return [_id(name, names)] if part.get("type") == "array" else _id(name, names)
    if "enum" in part:
        return part["enum"][0]
    if part.get("type") == "array" and part.get("minItems"):
        one = _resolved(openapi, part["items"])
        return [{of: _value(openapi, of, one["properties"][of], names) for of in one["required"]}]
    return _plain(name, part)


def _plain(name: str, part: Schema) -> Any:
    kind = part.get("format") or part.get("type")
    least = part.get("minimum", 1)
    return {
        "date": "2099-01-01",
        "date-time": "2026-11-22T08:30:00Z",
        "string": {"code": f"x{uuid4().hex[:8]}", "item": "bandage"}.get(name, "x"),
        "integer": int(least),
        "number": least,
        "boolean": False,
        "array": [],
    }.get(kind, {"lon": 7.4246, "lat": 43.7347})


def _alternatives(openapi: Schema, schema: Schema) -> list[Schema]:
    found = _resolved(openapi, schema)
    return [_resolved(openapi, part) for part in found.get("anyOf", [found])]


def _resolved(openapi: Schema, schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found
