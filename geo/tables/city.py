"""What an import of a city leaves: base map, addresses, facilities and where people are."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from geo.tables.column import metadata, point

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
    Column("centre", point(), nullable=False),
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
    Column("position", point(), nullable=False),
    Index(
        "ix_address_folded_trgm",
        "folded",
        postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    ),
    Index("ix_address_position", "position", postgresql_using="gist"),
    # Few among many: the towns and districts that people choose from.
    Index("ix_address_place", "dataset_id", postgresql_where=text("kind = 'place'")),
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
    Column("position", point(), nullable=False),
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
    Column("position", point(), nullable=False),
    CheckConstraint("weight >= 0", name="weight"),
)
