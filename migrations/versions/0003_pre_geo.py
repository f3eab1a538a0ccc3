"""Imported city data and the AED registry.

Revision: 0003_pre_geo
After: 0002_pre_realtime
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography, Geometry
from sqlalchemy.dialects import postgresql

revision = "0003_pre_geo"
down_revision = "0002_pre_realtime"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up by one step."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("attribution", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), server_default="ODbL 1.0", nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="Asia/Shanghai", nullable=False),
        sa.Column("west", sa.Float(), nullable=False),
        sa.Column("south", sa.Float(), nullable=False),
        sa.Column("east", sa.Float(), nullable=False),
        sa.Column("north", sa.Float(), nullable=False),
        sa.Column(
            "centre",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("is_derived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
        sa.UniqueConstraint("name", name=op.f("uq_dataset_name")),
    )
    op.create_table(
        "address",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("housenumber", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column(
            "position",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_address_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
    )
    op.create_index(op.f("ix_address_dataset_id"), "address", ["dataset_id"], unique=False)
    op.create_index(
        "ix_address_folded_trgm",
        "address",
        ["folded"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_address_position", "address", ["position"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "aed",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("floor", sa.Text(), nullable=True),
        sa.Column("entrance", sa.Text(), nullable=True),
        sa.Column("location_note", sa.Text(), nullable=True),
        sa.Column("indoor", sa.Boolean(), nullable=True),
        sa.Column(
            "position",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("access", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("hours", sa.Text(), nullable=True),
        sa.Column("hours_note", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="Asia/Shanghai", nullable=False),
        sa.Column("cabinet", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("status", sa.Text(), server_default="in_service", nullable=False),
        sa.Column(
            "is_in_service",
            sa.Boolean(),
            sa.Computed("status = 'in_service'", persisted=True),
            nullable=False,
        ),
        sa.Column("suspect_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=True),
        sa.Column("source_data", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_invented", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("folded", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "access in ('public', 'staff', 'members', 'private', 'unknown')",
            name=op.f("ck_aed_access"),
        ),
        sa.CheckConstraint(
            "cabinet in ('none', 'alarmed', 'code', 'key', 'unknown')", name=op.f("ck_aed_cabinet")
        ),
        sa.CheckConstraint(
            "status in ('in_service', 'out_of_service', 'withdrawn')", name=op.f("ck_aed_status")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_aed_dataset_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aed")),
        sa.UniqueConstraint(
            "org_id", "source", "source_ref", name=op.f("uq_aed_org_id_source_source_ref")
        ),
    )
    op.create_index(op.f("ix_aed_dataset_id"), "aed", ["dataset_id"], unique=False)
    op.create_index(
        "ix_aed_folded_trgm",
        "aed",
        ["folded"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    )
    op.create_index(op.f("ix_aed_org_id"), "aed", ["org_id"], unique=False)
    op.create_index("ix_aed_position", "aed", ["position"], unique=False, postgresql_using="gist")
    op.create_index(
        "ix_aed_position_in_service",
        "aed",
        ["position"],
        unique=False,
        postgresql_using="gist",
        postgresql_where=sa.text("is_in_service"),
    )
    op.create_index(
        "ix_aed_position_plane",
        "aed",
        [sa.literal_column("(position::geometry)")],
        unique=False,
        postgresql_using="gist",
    )
    op.create_table(
        "base_feature",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_zh", sa.Text(), nullable=True),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("minzoom", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_tunnel", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_bridge", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("osm_ref", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                srid=3857,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["dataset.id"],
            name=op.f("fk_base_feature_dataset_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base_feature")),
    )
    op.create_index(
        op.f("ix_base_feature_dataset_id"), "base_feature", ["dataset_id"], unique=False
    )
    op.create_index(
        "ix_base_feature_geom", "base_feature", ["geom"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "demand_point",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="building", nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "position",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("weight >= 0", name=op.f("ck_demand_point_weight")),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["dataset.id"],
            name=op.f("fk_demand_point_dataset_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_point")),
    )
    op.create_index(
        op.f("ix_demand_point_dataset_id"), "demand_point", ["dataset_id"], unique=False
    )
    op.create_table(
        "facility",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("osm_ref", sa.Text(), nullable=False),
        sa.Column(
            "position",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind in ('hospital', 'clinic', 'fire_station')", name=op.f("ck_facility_kind")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_facility_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
    )
    op.create_index(op.f("ix_facility_dataset_id"), "facility", ["dataset_id"], unique=False)
    op.create_index(
        "ix_facility_position", "facility", ["position"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "aed_check",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("pads_expire_on", sa.Date(), nullable=True),
        sa.Column("battery_expires_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "result in ('ok', 'fault', 'missing')", name=op.f("ck_aed_check_result")
        ),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_check_aed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aed_check")),
    )
    op.create_index("ix_aed_check_aed_id_at", "aed_check", ["aed_id", "at"], unique=False)
    op.create_table(
        "aed_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("row", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_history_aed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aed_history")),
        sa.UniqueConstraint("aed_id", "version", name=op.f("uq_aed_history_aed_id_version")),
    )
    op.create_table(
        "aed_report",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('missing', 'locked', 'moved', 'broken', 'other')",
            name=op.f("ck_aed_report_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_report_aed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aed_report")),
    )
    op.create_index("ix_aed_report_aed_id_at", "aed_report", ["aed_id", "at"], unique=False)


def downgrade() -> None:
    """Take the step back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_aed_report_aed_id_at", table_name="aed_report")
    op.drop_table("aed_report")
    op.drop_table("aed_history")
    op.drop_index("ix_aed_check_aed_id_at", table_name="aed_check")
    op.drop_table("aed_check")
    op.drop_index("ix_facility_position", table_name="facility", postgresql_using="gist")
    op.drop_index(op.f("ix_facility_dataset_id"), table_name="facility")
    op.drop_table("facility")
    op.drop_index(op.f("ix_demand_point_dataset_id"), table_name="demand_point")
    op.drop_table("demand_point")
    op.drop_index("ix_base_feature_geom", table_name="base_feature", postgresql_using="gist")
    op.drop_index(op.f("ix_base_feature_dataset_id"), table_name="base_feature")
    op.drop_table("base_feature")
    op.drop_index("ix_aed_position_plane", table_name="aed", postgresql_using="gist")
    op.drop_index(
        "ix_aed_position_in_service",
        table_name="aed",
        postgresql_using="gist",
        postgresql_where=sa.text("is_in_service"),
    )
    op.drop_index("ix_aed_position", table_name="aed", postgresql_using="gist")
    op.drop_index(op.f("ix_aed_org_id"), table_name="aed")
    op.drop_index(
        "ix_aed_folded_trgm",
        table_name="aed",
        postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_aed_dataset_id"), table_name="aed")
    op.drop_table("aed")
    op.drop_index("ix_address_position", table_name="address", postgresql_using="gist")
    op.drop_index(
        "ix_address_folded_trgm",
        table_name="address",
        postgresql_using="gin",
        postgresql_ops={"folded": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_address_dataset_id"), table_name="address")
    op.drop_table("address")
    op.drop_table("dataset")
