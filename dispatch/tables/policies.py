"""Versions of alert policies, and what the simulator said about them."""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geography
from sqlalchemy.dialects import postgresql as pg

from dispatch.tables import column

policy_version = sa.Table(
    "policy_version",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org"),
    column.word("name"),
    sa.Column("version", sa.Integer, nullable=False),
    column.word("note", nullable=True),
    column.json("document"),
    # SHA-256 of the canonical document, in hexadecimal; a simulation report names it.
    column.word("digest"),
    # Where it holds: empty or null means everywhere.
    sa.Column("kinds", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("severities", pg.ARRAY(sa.SmallInteger), nullable=False, server_default="{}"),
    sa.Column("area", Geography("MULTIPOLYGON", 4326, spatial_index=False)),
    column.at("effective_from", nullable=True),
    column.at("effective_until", nullable=True),
    sa.Column("status", sa.Text, nullable=False, server_default="draft"),
    column.ref("report_id", "simulation_report", nullable=True),
    column.ref("created_by", "person", nullable=True),
    column.at("created_at"),
    column.ref("published_by", "person", nullable=True),
    column.at("published_at", nullable=True),
    column.ref("retired_by", "person", nullable=True),
    column.at("retired_at", nullable=True),
    sa.UniqueConstraint("org_id", "name", "version"),
    sa.CheckConstraint("status in ('draft','published','retired')", name="status"),
    sa.CheckConstraint(
        "status = 'draft' or (report_id is not null and effective_from is not null)",
        name="published",
    ),
    sa.CheckConstraint("effective_until > effective_from", name="effective"),
)

simulation_report = sa.Table(
    "simulation_report",
    column.metadata,
    column.identity(),
    # None where the command line made it.
    column.ref("org_id", "org", nullable=True, index=True),
    # The digests of the policies that were compared.
    sa.Column("digests", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("incidents", sa.Integer, nullable=False),
    column.json("body"),
    column.word("html", nullable=True),
    column.at("made_at"),
    column.ref("made_by", "person", nullable=True),
    sa.Index("ix_simulation_report_digests", "digests", postgresql_using="gin"),
)

simulation_job = sa.Table(
    "simulation_job",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org", index=True),
    column.ref("policy_id", "policy_version"),
    # What to play: world, incidents, seed, names of shipped policies to compare with.
    column.json("request"),
    sa.Column("status", sa.Text, nullable=False, server_default="queued"),
    # Incidents played so far.
    sa.Column("done", sa.Integer, nullable=False, server_default="0"),
    # A runner that works on it says so again and again; after this time another one may take it.
    column.at("leased_until", nullable=True),
    column.ref("report_id", "simulation_report", nullable=True),
    column.word("error", nullable=True),
    column.ref("created_by", "person", nullable=True),
    column.at("created_at"),
    column.at("finished_at", nullable=True),
    sa.Index(
        "ix_simulation_job_open", "created_at",
        postgresql_where=sa.text("status in ('queued','running')"),
    ),
    sa.CheckConstraint("status in ('queued','running','done','failed')", name="status"),
    sa.CheckConstraint("(status = 'done') = (report_id is not null)", name="report"),
)  # fmt: skip
