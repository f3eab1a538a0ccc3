"""Lists sent in from the console: read, tried, looked at on the map, then taken over or not.

Sending a list writes nothing but the file; every answer is a trial against the data of that
moment, until the list is applied as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, orgs, uploads
from dispatch.uploads import ListKind, Upload
from geo import datum
from web import auth, fields, idempotency, import_shapes, rights
from web.dependencies import Caller, Language, Now, Tx, View
from web.import_shapes import ImportShape, ImportsShape
from web.imports import mapping, taking
from web.imports.profile import Choice, Columns
from web.imports.taking import Opened, Options, Taken
from web.rights import Action

router = APIRouter(tags=["imports"], route_class=idempotency.Route)

ACTIONS = {
    ListKind.AEDS: Action.AED_CHANGE,
    ListKind.RESPONDERS: Action.RESPONDER_CHANGE,
    ListKind.STOCK: Action.STOCK_CHANGE,
}
_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
#: Lists are read one at a time: a large one takes a core for seconds.
_reading = asyncio.Semaphore(1)

Encoding = Annotated[str | None, Query(max_length=40, description="instead of the detected one")]


class ListOptions(fields.Body):
    """Another way to read a list; what is left out stays. A column of null takes the field away.

    Another layout, or null for the one that is found, undoes what was mapped by hand.
    """

    crs: Annotated[datum.Crs, fields.Lax] | None = None
    encoding: fields.Word | None = None
    columns: dict[str, str | None] | None = None
    keep_far: bool | None = None
    source: fields.Word | None = None
    layout: fields.Word | None = None


class NewLayout(fields.Body):
    """Which column is which field, kept under a name."""

    kind: Annotated[ListKind, fields.Lax]
    name: fields.Name
    columns: dict[str, str | list[str]]


class LayoutShape(fields.Shape):
    """A layout that an office keeps."""

    id: str
    kind: str
    name: str
    columns: dict[str, str | list[str]]


class LayoutsShape(fields.Shape):
    """The layouts of your organisations."""

    items: list[LayoutShape]
    next_cursor: None


@router.post(
    "/imports/{kind}",
    status_code=201,
    response_model=ImportShape,
    dependencies=[idempotency.REQUIRED],
    openapi_extra=_FILE,
    summary="Send a list in and try it",
)
async def send_in(
    kind: ListKind,
    request: Request,
    *,
    conn: Tx,
    caller: Caller,
    spoken: Language,
    now: Now,
    name: Annotated[str, Query(min_length=1, max_length=200, description="name of the file")],
    crs: Annotated[datum.Crs, Query(description="datum of its positions")] = datum.Crs.WGS84,
    encoding: Encoding = None,
    keep_far: Annotated[bool, Query(description="take rows far from all others too")] = False,
    layout: Annotated[str | None, Query(max_length=200, description="default: found")] = None,
    org: Annotated[fields.Code | None, Query(description="default: the caller's")] = None,
) -> Response:
    """Keep the file (CSV, TSV, XLSX, GeoJSON, KML, XML) for a day, and say what it would do."""
    owner = await rights.org_for(conn, caller, ACTIONS[kind], org)
    options = {
        "crs": crs.value, "encoding": encoding, "keep_far": keep_far, "source": None,
        "columns": {}, "layout": await _choice(conn, caller, kind, layout),
    }  # fmt: skip
    upload_id = await uploads.add(
        conn, owner.id, kind,
        name=name, content=await request.body(), options=options, by=caller.id, now=now,
    )  # fmt: skip
    shown = await _tried(conn, await uploads.get(conn, upload_id), caller, spoken, now)
    return fields.created(shown, "/imports")


@router.get("/imports", response_model=ImportsShape, summary="Lists that were sent in")
async def recent(conn: View, caller: Caller, page: fields.Paging) -> Response:
    """List what your offices sent in, the newest first, with what became of it."""
    paths = [path for action in set(ACTIONS.values()) for path in _reach(caller, action)]
    if not paths:
        raise rights.NotAllowed
    after = None if page.after is None else fields.id_of(page.after)
    found = await uploads.recent(conn, paths, after=after, limit=page.limit + 1)
    items = [
        import_shapes.brief(upload) for upload in found if _reach(caller, ACTIONS[upload.kind])
    ]
    return fields.send(fields.paged(items, page, [upload.id for upload in found]))


@router.get(
    "/imports/{import_id}",
    response_model=ImportShape,
    summary="One list, tried again",
)
async def show(
    import_id: UUID, *, conn: Tx, caller: Caller, spoken: Language, now: Now
) -> Response:
    """Say what the list would do now. One that was applied answers 409: only its report is left."""
    upload = await _mine(conn, caller, import_id)
    return fields.send(await _tried(conn, upload, caller, spoken, now))


@router.patch(
    "/imports/{import_id}",
    response_model=ImportShape,
    summary="Read a list otherwise",
)
async def change(
    import_id: UUID, body: ListOptions, *, conn: Tx, caller: Caller, spoken: Language, now: Now
) -> Response:
    """Read the list with another datum, encoding or mapping, and try it again."""
    upload = await _mine(conn, caller, import_id)
    said = body.model_dump(mode="json", exclude_unset=True, exclude={"layout", "columns"})
    columns = dict(upload.options["columns"])
    if "layout" in body.model_fields_set:
        said["layout"] = await _choice(conn, caller, upload.kind, body.layout)
        columns = {}
    columns |= {name: column or () for name, column in (body.columns or {}).items()}
    options = {**upload.options, **said, "columns": columns}
    changed = await uploads.change(conn, import_id, options)
    return fields.send(await _tried(conn, changed, caller, spoken, now))


@router.post(
    "/imports/{import_id}/apply",
    response_model=ImportShape,
    dependencies=[idempotency.REQUIRED],
    summary="Take a list over",
)
async def apply(
    import_id: UUID, *, conn: Tx, caller: Caller, spoken: Language, now: Now
) -> Response:
    """Take the usable rows over as a whole; the file is dropped."""
    upload = await _mine(conn, caller, import_id)
    opened = await _opened(upload)
    taking.check_complete(opened)
    options = _options(upload, is_trial=False)
    taken = await taking.take(conn, upload.org_id, opened, options, by=caller.id, now=now)
    report = import_shapes.report_of(taken, spoken)
    done = await uploads.finish(conn, import_id, report, now=now)
    return fields.send(
        {**import_shapes.whole(upload, opened, taken, spoken), **import_shapes.brief(done)}
    )


@router.get("/import-layouts", response_model=LayoutsShape, summary="Layouts that offices keep")
async def layouts(conn: View, caller: Caller, kind: ListKind) -> Response:
    """List the kept layouts of a kind, by name."""
    found = await uploads.layouts(conn, rights.reach(caller, ACTIONS[kind]), kind)
    return fields.send({"items": [_layout_out(one) for one in found], "next_cursor": None})


@router.post(
    "/import-layouts",
    status_code=201,
    response_model=LayoutShape,
    dependencies=[idempotency.REQUIRED],
    summary="Keep a layout",
)
async def keep_layout(body: NewLayout, *, conn: Tx, caller: Caller) -> Response:
    """Keep a layout under a name; one of the same name is replaced."""
    owner = await rights.org_for(conn, caller, ACTIONS[body.kind], None)
    known = {field.name for field in mapping.fields(body.kind)}
    unknown = sorted(body.columns.keys() - known)
    if unknown:
        raise errors.Malformed(f"there is no field {unknown[0]}")
    kept = await uploads.keep_layout(
        conn, owner.id, body.kind, name=body.name, mapping=body.columns, by=caller.id
    )
    return fields.send(_layout_out(kept), status=201)


def _reach(caller: auth.Caller, action: Action) -> list[str]:
    try:
        return rights.reach(caller, action)
    except rights.NotAllowed:
        return []


async def _mine(conn: AsyncConnection, caller: auth.Caller, import_id: UUID) -> Upload:
    upload = await uploads.get(conn, import_id)
    owner = await orgs.find_owner(conn, orgs.Noun.ORG, upload.org_id)
    path = None if owner is None else owner.path
    if not rights.may(caller, ACTIONS[upload.kind], rights.Thing(path=path)):
        raise errors.NotFound
    return upload


async def _choice(
    conn: AsyncConnection, caller: auth.Caller, kind: ListKind, name: str | None
) -> dict[str, Any] | None:
    """Find a layout by its name, first among those that offices keep. Raises NotFound."""
    if name is None:
        return None
    kept = await uploads.layouts(conn, rights.reach(caller, ACTIONS[kind]), kind)
    for one in kept:
        if one.name == name:
            return {"name": name, "columns": dict(one.mapping)}
    if name not in {mapping.GUESSED, *(known.name for known in mapping.shipped(kind))}:
        raise errors.NotFound
    return {"name": name, "columns": None}


async def _opened(upload: Upload) -> Opened:
    """Read the file beside the event loop. Raises `Unreadable`, `BadMapping`, Applied."""
    if upload.content is None:
        raise uploads.Applied(state=dict(upload.report or {}))
    layout = upload.options.get("layout")
    choice = None
    if layout is not None:
        columns = layout["columns"]
        choice = Choice(layout["name"], None if columns is None else _columns(columns))
    async with _reading:
        return await asyncio.to_thread(
            taking.open_list,
            upload.content, upload.name, upload.kind,
            encoding=upload.options["encoding"], columns=_columns(upload.options["columns"]),
            layout=choice,
        )  # fmt: skip


def _columns(kept: Mapping[str, Any]) -> Columns:
    return {name: tuple(told) if isinstance(told, list) else told for name, told in kept.items()}


def _options(upload: Upload, *, is_trial: bool) -> Options:
    told = upload.options
    return Options(datum.Crs(told["crs"]), told["source"], told["keep_far"], is_trial)


async def _tried(
    conn: AsyncConnection, upload: Upload, caller: auth.Caller, spoken: str, now: Now
) -> dict[str, Any]:
    """Show what a list would do; one that lacks a required column does nothing."""
    opened = await _opened(upload)
    taken = Taken(taking.NOTHING)
    if not mapping.missing(opened.profile, opened.sheet):
        options = _options(upload, is_trial=True)
        taken = await taking.take(conn, upload.org_id, opened, options, by=caller.id, now=now)
    return import_shapes.whole(upload, opened, taken, spoken)


def _layout_out(layout: uploads.Layout) -> dict[str, Any]:
    return {
        "id": str(layout.id),
        "kind": layout.kind,
        "name": layout.name,
        "columns": layout.mapping,
    }
