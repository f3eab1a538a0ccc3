"""Photos of a device, of its surroundings and its cabinet: small, and without what cameras add."""

import io
import warnings
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from PIL import Image, ImageOps
from sqlalchemy import RowMapping, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aeds, tables

#: The longer side of what is kept; enough to know a corner by, small on a phone's network.
SIDE_MOST = 1600
#: A picture of more points is refused before it is unpacked: it may be made to fill the memory.
POINTS_MOST = 60_000_000
#: Of one device.
COUNT_MOST = 8
_QUALITY = 82
_FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPE = "image/jpeg"


class PhotoKind(StrEnum):
    """What it shows."""

    SURROUNDINGS = "surroundings"
    CABINET = "cabinet"


class PhotoMissing(LookupError):
    """The device has no photo with this id."""


class NotAPicture(ValueError):
    """The bytes are no JPEG, PNG or WebP picture, or one with too many points."""


class TooManyPhotos(Exception):
    """The device has as many photos as it may have."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept: JPEG, with its size in points."""

    content: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a device, without its bytes."""

    id: UUID
    kind: PhotoKind
    width: int
    height: int


def encode(content: bytes) -> Picture:
    """Make a picture small and drop all but the points; blocks for some tens of milliseconds.

    Turned as the camera was held; the place and time that a phone writes into it are gone. Raises
    `NotAPicture`.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            warnings.simplefilter("ignore")  # of oddities in a camera's notes, which are dropped
            if opened.width * opened.height > POINTS_MOST:
                raise NotAPicture(f"it has more than {POINTS_MOST // 1_000_000} million points")
            opened.draft("RGB", (SIDE_MOST, SIDE_MOST))
            picture = _flat(ImageOps.exif_transpose(opened))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, NotAPicture):
            raise
        raise NotAPicture("it is no JPEG, PNG or WebP picture") from None
    picture.thumbnail((SIDE_MOST, SIDE_MOST))
    picture.info.clear()  # what was written into the file beside the points would be kept
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(kept.getvalue(), picture.width, picture.height)


def _flat(picture: Image.Image) -> Image.Image:
    """Give the points alone, what is transparent on white."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.convert("RGBA").getchannel("A"))
    return flat


async def add(
    conn: AsyncConnection,
    aed_id: UUID,
    kind: PhotoKind,
    picture: Picture,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> Photo:
    """Keep a photo of a device. Raises `AedMissing`, `TooManyPhotos`."""
    await aeds.lock(conn, aed_id)
    table = tables.aed_photo
    count = select(func.count()).where(table.c.aed_id == aed_id)
    if (await conn.execute(count)).scalar_one() >= COUNT_MOST:
        raise TooManyPhotos
    values = {
        "aed_id": aed_id,
        "kind": kind,
        "media_type": MEDIA_TYPE,
        "content": picture.content,
        "width": picture.width,
        "height": picture.height,
        "actor_id": actor_id,
        "at": now,
    }
    statement = insert(table).values(**values).returning(*_FACTS)
    return _photo((await conn.execute(statement)).mappings().one())


_FACTS = (
    tables.aed_photo.c.id,
    tables.aed_photo.c.kind,
    tables.aed_photo.c.width,
    tables.aed_photo.c.height,
)


def _photo(row: RowMapping) -> Photo:
    return Photo(row["id"], PhotoKind(row["kind"]), row["width"], row["height"])


async def list_of(conn: AsyncConnection, aed_id: UUID) -> list[Photo]:
    """List the photos of a device, the surroundings first, then the oldest first."""
    table = tables.aed_photo
    query = select(*_FACTS).where(table.c.aed_id == aed_id)
    rows = await conn.execute(query.order_by(table.c.kind.desc(), table.c.at, table.c.id))
    return [_photo(row) for row in rows.mappings()]


async def content(conn: AsyncConnection, aed_id: UUID, photo_id: UUID) -> bytes:
    """Give the JPEG of a device that is not withdrawn. Raises `PhotoMissing`."""
    photo, aed = tables.aed_photo, tables.aed
    query = (
        select(photo.c.content)
        .join(aed, aed.c.id == photo.c.aed_id)
        .where(photo.c.id == photo_id, aed.c.id == aed_id, aed.c.status != "withdrawn")
    )
    found = (await conn.execute(query)).scalar()
    if found is None:
        raise PhotoMissing(str(photo_id))
    return bytes(found)


async def remove(conn: AsyncConnection, aed_id: UUID, photo_id: UUID) -> None:
    """Throw a photo away. Raises `PhotoMissing`."""
    photo = tables.aed_photo
    gone = await conn.execute(
        delete(photo).where(photo.c.aed_id == aed_id, photo.c.id == photo_id).returning(photo.c.id)
    )
    if gone.first() is None:
        raise PhotoMissing(str(photo_id))
