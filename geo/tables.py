"""Tables of places: imported city data, and the AED registry with its history.

Points are `geography(Point, 4326)`; only the drawn base map is in web Mercator (3857).
Spatial indexes are named here, never made by GeoAlchemy2, so that partial ones are visible.
"""

from geoalchemy2 import Geography, Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _point() -> Geography:
    return Geography("POINT", srid=4326, spatial_index=False)


def _now() -> Column[object]:
    return Column("at", DateTime(timezone=True), nullable=False)


dataset = Table(
    "dataset",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("attribution", Text, nullable=False),
    Column("licence", Text, nullable=False, server_default="ODbL 1.0"),
    Column("time_zone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("west", Float, nullable=False),
    Column("south", Float, nullable=False),
    Column("east", Float, nullable=False),
    Column("north", Float, nullable=False),
    Column("centre", _point(), nullable=False),
    Column("is_derived", Boolean, nullable=False, server_default=text("false")),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("imported_at", DateTime(timezone=True), nullable=False),
)

base_feature = Table(
    "base_feature",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("dataset_id", ForeignKey(dataset.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("layer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # The raw OSM value behind the kind: highway=steps, admin_level=8.
    Column("detail", Text),
    Column("name", Text),
    Column("name_zh", Text),
    Column("name_en", Text),
    Column("minzoom", SmallInteger, nullable=False),
    # Drawing order and label priority within the layer: small is more important.
    Column("rank", SmallInteger, nullable=False, server_default=text("0")),
    # OSM `layer`, with tunnels at -1 and bridges at 1 where the tag is missing.
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    Column("is_tunnel", Boolean, nullable=False, server_default=text("false")),
    Column("is_bridge", Boolean, nullable=False, server_default=text("false")),
    Column("osm_ref", Text),
    Column("geom", Geometry("GEOMETRY", srid=3857, spatial_index=False), nullable=False),
    Index("ix_base_feature_geom", "geom", postgresql_using="gist"),
)

address = Table(
    "address",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("dataset_id", ForeignKey(dataset.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    # geo.search.fold(text and its other names): what queries are compared with.
    Column("folded", Text, nullable=False),
    Column("street", Text),
    Column("housenumber", Text),
    Column("kind", Text, nullable=False),
    Column("rank", SmallInteger, nullable=False, server_default=text("5")),
    Column("position", _point(), nullable=False),
    Index(
        "ix_address_folded_trgm",
        "folded",
        postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    ),
    Index("ix_address_position", "position", postgresql_using="gist"),
)

facility = Table(
    "facility",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("dataset_id", ForeignKey(dataset.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("name", Text),
    Column("name_en", Text),
    Column("osm_ref", Text, nullable=False),
    Column("position", _point(), nullable=False),
    CheckConstraint("kind in ('hospital', 'clinic', 'fire_station')", name="kind"),
    Index("ix_facility_position", "position", postgresql_using="gist"),
)

demand_point = Table(
    "demand_point",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("dataset_id", ForeignKey(dataset.c.id, ondelete="CASCADE"), nullable=False, index=True),
    # `building`; in a data set without buildings `street`, the middle of each street piece.
    Column("kind", Text, nullable=False, server_default="building"),
    # H3 cell of resolution 10 (about 130 m across).
    Column("cell", Text, nullable=False),
    Column("weight", Float, nullable=False, server_default=text("1")),
    Column("position", _point(), nullable=False),
    CheckConstraint("weight >= 0", name="weight"),
)

aed = Table(
    "aed",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    # The owning organisation. No foreign key: geo knows no organisations.
    Column("org_id", Uuid, nullable=False, index=True),
    Column("dataset_id", ForeignKey(dataset.c.id, ondelete="SET NULL"), index=True),
    Column("name", Text, nullable=False),
    Column("address", Text),
    Column("floor", Text),
    Column("entrance", Text),
    Column("location_note", Text),
    Column("indoor", Boolean),
    Column("position", _point(), nullable=False),
    Column("access", Text, nullable=False, server_default="unknown"),
    Column("hours", Text),
    Column("hours_note", Text),
    Column("time_zone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("cabinet", Text, nullable=False, server_default="unknown"),
    Column("status", Text, nullable=False, server_default="in_service"),
    # A literal boolean, because a partial index needs a predicate that no parameter hides.
    Column(
        "is_in_service",
        Boolean,
        Computed("status = 'in_service'", persisted=True),
        nullable=False,
    ),
    # Someone reported it missing or broken and nobody has looked since.
    Column("suspect_since", DateTime(timezone=True)),
    Column("source", Text, nullable=False),
    Column("source_ref", Text),
    # What the source said last: {"lon", "lat", "tags"}; unknown tags are kept untouched.
    Column("source_data", JSONB),
    # Since when the source no longer lists it (the import withdrew it, nobody by hand).
    Column("gone_at", DateTime(timezone=True)),
    Column("is_invented", Boolean, nullable=False, server_default=text("false")),
    Column("verified_at", DateTime(timezone=True)),
    Column("folded", Text, nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint(
        "access in ('public', 'staff', 'members', 'private', 'unknown')", name="access"
    ),
    CheckConstraint("cabinet in ('none', 'alarmed', 'code', 'key', 'unknown')", name="cabinet"),
    CheckConstraint("status in ('in_service', 'out_of_service', 'withdrawn')", name="status"),
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
    _now(),
    UniqueConstraint("aed_id", "version"),
)

aed_check = Table(
    "aed_check",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False),
    Column("result", Text, nullable=False),
    Column("pads_expire_on", Date),
    Column("battery_expires_on", Date),
    Column("note", Text),
    Column("actor_id", Uuid),
    _now(),
    CheckConstraint("result in ('ok', 'fault', 'missing')", name="result"),
    Index("ix_aed_check_aed_id_at", "aed_id", "at"),
)

aed_report = Table(
    "aed_report",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("aed_id", ForeignKey(aed.c.id, ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("note", Text),
    Column("actor_id", Uuid),
    _now(),
    Column("settled_at", DateTime(timezone=True)),
    CheckConstraint("kind in ('missing', 'locked', 'moved', 'broken', 'other')", name="kind"),
    Index("ix_aed_report_aed_id_at", "aed_id", "at"),
)
