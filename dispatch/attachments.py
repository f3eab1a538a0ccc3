"""Pictures and papers of an incident; whoever sees them is shown no place from the camera."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, store, tables, telling

#: Of one incident.
COUNT_MOST = 50


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment, without its bytes."""

    id: UUID
    incident_id: UUID
    name: str | None
    media_type: str
    actor_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes, and what they are."""

    media_type: str
    content: bytes


_COLUMNS = [tables.attachment.c[field.name] for field in fields(Attachment)]


def out(attachment: Attachment) -> events.Body:
    """Show an attachment without its bytes."""
    return {
        "id": str(attachment.id),
        "incident": str(attachment.incident_id),
        "name": attachment.name,
        "media_type": attachment.media_type,
        "actor": events.ident(attachment.actor_id),
        "at": events.time(attachment.at),
    }


async def add(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    name: str | None,
    shown: Content,
    original: Content,
    by: UUID,
    now: datetime,
) -> Attachment:
    """Keep an attachment, also of a closed incident. Raises Conflict when it has too many."""
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    if len(await list_attachments(conn, incident_id)) >= COUNT_MOST:
        raise errors.Conflict(f"it has {COUNT_MOST} attachments", state={"most": COUNT_MOST})
    rows = await conn.execute(
        sa.insert(tables.attachment)
        .values(
            id=store.new_id(), incident_id=incident_id, name=name,
            media_type=shown.media_type, content=shown.content,
            original_type=original.media_type, original=original.content, actor_id=by, at=now,
        )
        .returning(*_COLUMNS)
    )  # fmt: skip
    attachment = Attachment(**rows.mappings().one())
    args = {"attachment": str(attachment.id), "name": name, "media_type": shown.media_type}
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.CONSOLE, kind=events.LineKind.ATTACHED,
        args=args, by=by, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.LINE_ADDED, incident, with_incident=False, lines=[line], now=now
    )
    return attachment


async def list_attachments(conn: AsyncConnection, incident_id: UUID) -> list[Attachment]:
    """Return the attachments of an incident, the oldest first."""
    table = tables.attachment.c
    rows = await conn.execute(
        sa.select(*_COLUMNS).where(table.incident_id == incident_id).order_by(table.id)
    )
    return [Attachment(**row) for row in rows.mappings()]


async def content(
    conn: AsyncConnection, incident_id: UUID, attachment_id: UUID, *, original: bool
) -> Content:
    """Return the bytes that are shown, or those that were sent. Raises NotFound."""
    table = tables.attachment.c
    columns = (table.original_type, table.original) if original else (
        table.media_type, table.content,
    )  # fmt: skip
    rows = await conn.execute(
        sa.select(*columns).where(table.id == attachment_id, table.incident_id == incident_id)
    )
    row = rows.one_or_none()
    if row is None:
        raise errors.NotFound
    return Content(*row)
