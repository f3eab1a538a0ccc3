"""The AED registry: devices with their history, and all that people do and say about them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from geo.tables.city import dataset
from geo.tables.column import at, metadata, point, word

aed = Table(
    "aed",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    # The owning organisation. No foreign key: geo knows no organisations.
    Column("org_id", Uuid, nullable=False, index=True),
    Column("dataset_id", ForeignKey(dataset.c.id, ondelete="SET NULL"), index=True),
    # --- the place
    Column("name", Text, nullable=False),
    word("address"),
    word("floor"),
    word("entrance"),
    word("location_note"),
    Column("indoor", Boolean),
    # Of the site, for everybody; the custodians' phones are in a table of their own.
    word("phone"),
    Column("position", point(), nullable=False),
    # What was said of the position, never overwritten by a conversion: its datum and raw numbers.
    Column("source_crs", Text, nullable=False, server_default="wgs84"),
    Column("raw_lon", Float),
    Column("raw_lat", Float),
    Column("accuracy_m", Float),
    word("position_method"),
    # --- when and by whom it may be taken
    Column("access", Text, nullable=False, server_default="unknown"),
    word("hours"),
    word("hours_note"),
    Column("time_zone", Text, nullable=False, server_default="Asia/Shanghai"),
    at("closed_from", nullable=True),
    at("closed_until", nullable=True),
    word("closed_note"),
    Column("cabinet", Text, nullable=False, server_default="unknown"),
    # --- the device; the pads are for adults unless they are named the child's
    word("brand"),
    word("model"),
    word("serial"),
    Column("pads_expire_on", Date),
    Column("child_pads_expire_on", Date),
    Column("has_child_pads", Boolean),
    Column("battery_expires_on", Date),
    Column("installed_on", Date),
    word("acquired"),
    word("donor"),
    # A mobile device travels with this carrier (a police car, a taxi); its place grows old.
    word("carrier"),
    at("moved_at", nullable=True),
    # --- trust
    Column("status", Text, nullable=False, server_default="in_service"),
    # A literal boolean, because a partial index needs a predicate that no parameter hides.
    Column(
        "is_in_service",
        Boolean,
        Computed("status = 'in_service'", persisted=True),
        nullable=False,
    ),
    # Someone reported it missing or broken and nobody has looked since.
    at("suspect_since", nullable=True),
    # Somebody took it away to use it and has not brought it back.
    at("taken_at", nullable=True),
    at("verified_at", nullable=True),
    Column("check_every_days", SmallInteger),
    # --- where the record comes from
    Column("source", Text, nullable=False),
    word("source_ref"),
    # What the source said last: {"lon", "lat", "tags"}; unknown tags are kept untouched.
    Column("source_data", JSONB),
    # Since when the source no longer lists it (the import withdrew it, nobody by hand).
    at("gone_at", nullable=True),
    Column("is_invented", Boolean, nullable=False, server_default=text("false")),
    Column("folded", Text, nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default=text("1")),
    at("created_at"),
    at("updated_at"),
    CheckConstraint(
        "access in ('public', 'staff', 'members', 'private', 'unknown')", name="access"
    ),
    CheckConstraint("cabinet in ('none', 'alarmed', 'code', 'key', 'unknown')", name="cabinet"),
    CheckConstraint("status in ('in_service', 'out_of_service', 'withdrawn')", name="status"),
    CheckConstraint("source_crs in ('wgs84', 'gcj02', 'bd09')", name="source_crs"),
    CheckConstraint(
        "position_method in ('survey', 'gps', 'map', 'geocode', 'import', 'carrier')",
        name="position_method",
    ),
    CheckConstraint("acquired in ('purchase', 'donation', 'lease')", name="acquired"),
    CheckConstraint("check_every_days > 0", name="check_every_days"),
    CheckConstraint("closed_until > closed_from", name="closure"),
    UniqueConstraint("org_id", "source", "source_ref"),
    Index("ix_aed_position", "position", postgresql_using="gist"),
    # Boxes of maps are drawn on the plane; as geography their edges would bulge.
    Index("ix_aed_position_plane", text("(position::geometry)"), postgresql_using="gist"),
    Index(
        "ix_aed_position_in_service",
        "position",
        postgresql_using="gist",
        postgresql_where=text("is_in_service"),
    ),
    Index(
        "ix_aed_folded_trgm",
        "folded",
        postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    ),
    Index("ix_aed_updated_at", "updated_at"),
)

# The row as it was until `at`: the record of a day is the earliest row here that was
# replaced after that day, else the present one.
aed_history = Table(
    "aed_history",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("row", JSONB, nullable=False),
    Column("actor_id", Uuid),
    Column("reason", Text, nullable=False),
    at(),
    UniqueConstraint("aed_id", "version"),
)

# Which transaction changed a device last, kept by triggers on `aed`: whoever holds a copy of the
# registry reads what is new since its last look, without gaps and without a scan. No foreign key:
# the row outlives a device that was deleted, so that its copies end too.
aed_change = Table(
    "aed_change",
    metadata,
    Column("aed_id", Uuid, primary_key=True),
    Column("xid", BigInteger, nullable=False),
    Index("ix_aed_change_xid", "xid"),
)

# The secret of a code lock, apart from the record so that neither history nor exports hold it.
aed_code = Table(
    "aed_code",
    metadata,
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), primary_key=True),
    Column("code", Text, nullable=False),
    Column("actor_id", Uuid),
    at("updated_at"),
)

# What a list said last of a device's custodians and code, as digests: what was corrected or
# forgotten here stays so while the list says the same. Apart from the record and its history.
aed_listed = Table(
    "aed_listed",
    metadata,
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), primary_key=True),
    Column("said", JSONB, nullable=False),
)

# Who answers for the device: the first is asked, then the second. Never public.
aed_custodian = Table(
    "aed_custodian",
    metadata,
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False),
    Column("rank", SmallInteger, nullable=False),
    word("unit"),
    Column("name", Text, nullable=False),
    word("phone"),
    word("email"),
    at("updated_at"),
    UniqueConstraint("aed_id", "rank"),
    CheckConstraint("rank in (1, 2)", name="rank"),
)

aed_photo = Table(
    "aed_photo",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("width", SmallInteger, nullable=False),
    Column("height", SmallInteger, nullable=False),
    Column("actor_id", Uuid),
    at(),
    CheckConstraint("kind in ('surroundings', 'cabinet')", name="kind"),
)

aed_check = Table(
    "aed_check",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False),
    Column("result", Text, nullable=False),
    Column("pads_expire_on", Date),
    Column("child_pads_expire_on", Date),
    Column("battery_expires_on", Date),
    # How far from the device the checker stood; farther than a hundred metres is flagged.
    Column("away_m", Float),
    word("note"),
    Column("actor_id", Uuid),
    at(),
    CheckConstraint("result in ('ok', 'fault', 'missing')", name="result"),
    Index("ix_aed_check_aed_id_at", "aed_id", "at"),
)

# Which reminder of a check was given: once per day on which it is due and stage.
aed_reminder = Table(
    "aed_reminder",
    metadata,
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False),
    at("due_at"),
    Column("stage", Text, nullable=False),
    at(),
    PrimaryKeyConstraint("aed_id", "due_at", "stage"),
    CheckConstraint("stage in ('first', 'second', 'overdue')", name="stage"),
)

aed_report = Table(
    "aed_report",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    word("note"),
    Column("position", point()),
    # None: somebody who was not signed in.
    Column("actor_id", Uuid),
    at(),
    Column("verdict", Text, nullable=False, server_default="open"),
    at("settled_at", nullable=True),
    Column("settled_by", Uuid),
    word("settled_note"),
    CheckConstraint(
        "kind in ('missing', 'locked', 'moved', 'broken', 'closed', 'other')", name="kind"
    ),
    CheckConstraint("verdict in ('open', 'accepted', 'rejected')", name="verdict"),
    CheckConstraint("(verdict = 'open') = (settled_at is null)", name="settled"),
    Index("ix_aed_report_aed_id_at", "aed_id", "at"),
    Index("ix_aed_report_open", "at", postgresql_where=text("verdict = 'open'")),
)

# From taking the device to its return; in between nobody is sent for it.
aed_use = Table(
    "aed_use",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("incident_id", Uuid),
    Column("assignment_id", Uuid),
    Column("actor_id", Uuid),
    at("taken_at"),
    at("returned_at", nullable=True),
    Column("pads_used", Boolean),
    word("note"),
    Index(
        "uq_aed_use_open",
        "aed_id",
        unique=True,
        postgresql_where=text("returned_at is null"),
    ),
)
