"""Depots, items, lots and the append-only ledger of their movements."""

from __future__ import annotations

import sqlalchemy as sa

from dispatch.tables import column

depot = sa.Table(
    "depot",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org", index=True),
    column.word("code"),
    column.word("name"),
    column.word("name_en", nullable=True),
    column.word("address", nullable=True),
    column.word("phone", nullable=True),
    column.word("hours", nullable=True),
    column.position(),
    column.flag("is_invented"),
    column.count("version", 1),
    sa.UniqueConstraint("org_id", "code"),
    sa.Index("ix_depot_position", "position", postgresql_using="gist"),
)

item = sa.Table(
    "item",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org", index=True),
    column.word("code"),
    column.word("name_zh"),
    column.word("name_en"),
    column.word("unit_zh"),
    column.word("unit_en"),
    sa.UniqueConstraint("org_id", "code"),
)

lot = sa.Table(
    "lot",
    column.metadata,
    column.identity(),
    column.ref("depot_id", "depot", index=True),
    column.ref("item_id", "item", index=True),
    column.word("code", nullable=True),
    sa.Column("expires_on", sa.Date),
    column.word("donor", nullable=True),
    column.at("received_at"),
    # What came out of another depot's lot is a lot of its own here.
    column.ref("origin_id", "lot", nullable=True, index=True),
)

#: Sums of movements and of active reservations, kept by triggers so that a check can guard them.
balance = sa.Table(
    "balance",
    column.metadata,
    sa.Column("lot_id", sa.Uuid, sa.ForeignKey("lot.id"), primary_key=True),
    sa.Column("on_hand", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reserved", sa.Integer, nullable=False, server_default="0"),
    sa.CheckConstraint("on_hand >= 0", name="on_hand"),
    sa.CheckConstraint("reserved between 0 and on_hand", name="reserved"),
)

reservation = sa.Table(
    "reservation",
    column.metadata,
    column.identity(),
    column.ref("incident_id", "incident", index=True),
    column.ref("lot_id", "lot", index=True),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="active"),
    column.at("reserved_at"),
    column.at("expires_at"),
    column.at("ended_at", nullable=True),
    column.ref("by_id", "person", nullable=True),
    # Why another lot than the first to expire.
    column.word("reason", nullable=True),
    sa.CheckConstraint("quantity > 0", name="quantity"),
    sa.CheckConstraint("status in ('active','issued','released','expired')", name="status"),
)

transfer = sa.Table(
    "transfer",
    column.metadata,
    column.identity(),
    column.ref("from_depot_id", "depot", index=True),
    column.ref("to_depot_id", "depot", index=True),
    sa.Column("status", sa.Text, nullable=False, server_default="sent"),
    column.at("sent_at"),
    column.ref("sent_by_id", "person"),
    column.at("due_at", nullable=True),
    column.at("arrived_at", nullable=True),
    column.ref("arrived_by_id", "person", nullable=True),
    column.word("note", nullable=True),
    column.word("difference", nullable=True),
    sa.CheckConstraint("from_depot_id <> to_depot_id", name="depots"),
    sa.CheckConstraint("status in ('sent','arrived')", name="status"),
    sa.CheckConstraint(
        "(status = 'arrived') = (arrived_at is not null and arrived_by_id is not null)",
        name="arrived",
    ),
    sa.CheckConstraint("arrived_by_id <> sent_by_id", name="two_people"),
)

#: Units of a lot on their way; `arrived` is null until they are there, and the rest is missing.
transfer_line = sa.Table(
    "transfer_line",
    column.metadata,
    column.identity(),
    column.ref("transfer_id", "transfer", index=True),
    column.ref("lot_id", "lot", index=True),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("arrived", sa.Integer),
    column.ref("arrived_lot_id", "lot", nullable=True),
    column.word("reason", nullable=True),
    sa.CheckConstraint("quantity > 0", name="quantity"),
    sa.CheckConstraint("arrived between 0 and quantity", name="arrived"),
)

movement = sa.Table(
    "movement",
    column.metadata,
    column.identity(),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
    column.ref("lot_id", "lot", index=True),
    column.word("kind"),
    sa.Column("quantity", sa.Integer, nullable=False),
    column.ref("incident_id", "incident", nullable=True, index=True),
    column.ref("reservation_id", "reservation", nullable=True, index=True),
    column.ref("transfer_line_id", "transfer_line", nullable=True, index=True),
    column.at("at"),
    column.ref("by_id", "person", nullable=True),
    column.word("note", nullable=True),
    sa.CheckConstraint("quantity <> 0", name="quantity"),
    sa.CheckConstraint(
        "(kind in ('receive','arrive','return') and quantity > 0)"
        " or (kind in ('issue','send','write_off') and quantity < 0)",
        name="sign",
    ),
)
