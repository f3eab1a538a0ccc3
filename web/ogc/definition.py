"""Describes /ogc in OpenAPI 3.0, as clients of the standard read it (our own API is 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from web import problems
from web.ogc import collections, query, render
from web.ogc.collections import About

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}


def write(base: str) -> dict[str, Any]:
    """Write the whole description; `base` is the address of the landing page."""
    paths: dict[str, Any] = {
        "/": _get("landing", "首页 · Landing page"),
        "/conformance": _get("conformance", "符合性 · Conformance classes"),
        "/api": _get("api", "接口说明 · This description", kind=render.OPENAPI),
        "/collections": _get("collections", "数据集 · Collections"),
    }
    for about in collections.ALL:
        paths |= _of_collection(about)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Golden Minutes 黄金时间: OGC API – Features",
            "version": "1",
            "description": "公开的急救数据。 Public rescue data.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": base}],
        "paths": paths,
        "components": {
            "parameters": _parameters(),
            "schemas": _SCHEMAS,
            "responses": {
                "Problem": {
                    "description": "A refusal (RFC 9457), in the caller's language.",
                    "content": {
                        problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/problem"}}
                    },
                }
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "An API token as the password; the name does not matter.",
                },
            },
        },
    }


def _of_collection(about: About) -> dict[str, Any]:
    path = f"/collections/{about.id}"
    refs = [f"#/components/parameters/{name}" for name in query.ITEMS]
    filters = [_filter(name, values) for name, values in about.filters.items()]
    parameters = [*({"$ref": ref} for ref in refs), *filters]
    crs = [{"$ref": "#/components/parameters/crs"}]
    fid = {"name": "featureId", "in": "path", "required": True, "schema": _TEXT}
    made = {
        path: _get(f"{about.id}.about", about.title),
        f"{path}/items": _get(
            f"{about.id}.items", about.title, parameters, render.GEOJSON, "features"
        ),
        f"{path}/items/{{featureId}}": _get(
            f"{about.id}.item", about.title, [fid, *crs], render.GEOJSON, "feature"
        ),
    }
    if not about.is_public:
        for operations in made.values():
            operations["get"]["security"] = [{"bearer": []}, {"basic": []}]
    return made


def _get(
    name: str,
    summary: str,
    parameters: Sequence[dict[str, Any]] = (),
    kind: str = render.JSON,
    schema: str = "object",
) -> dict[str, Any]:
    shape = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    common = [{"$ref": f"#/components/parameters/{name}"} for name in query.COMMON]
    problem = {"$ref": "#/components/responses/Problem"}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": [*common, *parameters],
            "responses": {
                "200": {
                    "description": summary,
                    "content": {kind: shape, render.HTML: {"schema": _TEXT}},
                },
                **dict.fromkeys(("400", "401", "404", "500"), problem),
            },
        }
    }


def _filter(name: str, values: Any) -> dict[str, Any]:
    schema = {"type": "string", "enum": list(values)} if values else _TEXT
    return {"name": name, "in": "query", "required": False, "schema": schema,
            "description": _FILTERS.get(name, "")}  # fmt: skip


_FILTERS = {
    "name": "名称相等；AED 名称可用 * 代替任意文字。"
    " Equal; for AEDs a * at either end stands for any text.",
    "usable": "当前是否可用。 Whether it can be taken now.",
}


def _parameters() -> dict[str, Any]:
    crs = {"type": "string", "format": "uri", "enum": [query.CRS84], "default": query.CRS84}
    described = {
        "f": ({"type": "string", "enum": ["json", "html"]}, "The representation."),
        "lang": ({"type": "string", "enum": ["zh", "en"]}, "The language of refusals."),
        "limit": (
            {
                "type": "integer",
                "minimum": 1,
                "maximum": query.LIMIT_MOST,
                "default": query.LIMIT_DEFAULT,
            },
            "How many features a page holds at most.",
        ),
        "cursor": (_TEXT, "Where a page begins; from the next link of the page before."),
        "datetime": (_TEXT, "A time, or an interval with /; .. leaves an end open."),
        "crs": (crs, "The coordinate system of the answer: longitude and latitude, WGS-84."),
        "bbox-crs": (crs, "The coordinate system of bbox."),
    }
    made = {
        name: {"name": name, "in": "query", "required": False, "schema": schema,
               "description": text, "style": "form", "explode": False}
        for name, (schema, text) in described.items()
    }  # fmt: skip
    made["bbox"] = {
        "name": "bbox", "in": "query", "required": False, "style": "form", "explode": False,
        "description": "West, south, east, north, or with heights as third and sixth; "
        "west > east crosses 180 degrees.",
        "schema": {
            "type": "array", "items": _NUMBER,
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
        },
    }  # fmt: skip
    return made


_LINKS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["href", "rel"],
        "properties": dict.fromkeys(("href", "rel", "type", "title"), _TEXT),
    },
}
_FEATURE = {
    "type": "object",
    "required": ["type", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": _TEXT,
        "geometry": {"type": "object", "nullable": True},
        "properties": {"type": "object", "nullable": True},
        "links": _LINKS,
    },
}
_SCHEMAS: dict[str, Any] = {
    "object": {"type": "object"},
    "problem": {
        "type": "object",
        "properties": dict.fromkeys(("type", "title", "code", "detail", "what_to_do"), _TEXT),
    },
    "feature": _FEATURE,
    "features": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/feature"}},
            "links": _LINKS,
            "timeStamp": {"type": "string", "format": "date-time"},
            "numberMatched": {"type": "integer", "minimum": 0},
            "numberReturned": {"type": "integer", "minimum": 0},
        },
    },
}
