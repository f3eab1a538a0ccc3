"""The ways by which people are told: what is on, where each person's devices and accounts are."""

from __future__ import annotations

import sqlalchemy as sa

from dispatch.tables import column

#: One row per channel that needs a gateway; the runners write what they were set up with.
channel = sa.Table(
    "channel",
    column.metadata,
    sa.Column("name", sa.Text, primary_key=True),
    column.flag("is_on"),
    # The gateway is a double on this machine: the only kind that exercises are sent to.
    column.flag("is_test"),
    # Since when messages go out and no receipt comes back; null: all is well.
    column.at("flagged_at", nullable=True),
    # Of the last minutes, for the metrics.
    column.count("sent", 0),
    column.count("delivered", 0),
    column.count("failed", 0),
    column.at("checked_at"),
)

push_subscription = sa.Table(
    "push_subscription",
    column.metadata,
    column.identity(),
    column.ref("person_id", "person", index=True),
    sa.Column("endpoint", sa.Text, nullable=False, unique=True),
    column.word("p256dh"),
    column.word("auth"),
    column.now("created_at"),
    # When the push service said that this device is gone; it is kept so that its owner is told.
    column.at("gone_at", nullable=True),
    # The weekly silent question whether a message still gets there.
    column.at("probe_due_at"),
    column.at("probed_at", nullable=True),
    column.at("probe_answered_at", nullable=True),
    # What the device answers with, whether or not its owner is signed in.
    sa.Column("probe_hash", sa.LargeBinary),
    # When the owner and the team were told that nothing gets there.
    column.at("flagged_at", nullable=True),
    sa.Index("ix_push_subscription_probe_due_at", "probe_due_at"),
)

#: A person's account in a work messenger.
contact = sa.Table(
    "contact",
    column.metadata,
    column.ref("person_id", "person"),
    column.word("channel"),
    column.word("account"),
    sa.PrimaryKeyConstraint("person_id", "channel"),
    sa.CheckConstraint("channel in ('wecom','dingtalk','feishu')", name="channel"),
)

#: What the short link of a message opens; only the hash of the code is kept.
alert_code = sa.Table(
    "alert_code",
    column.metadata,
    sa.Column("code_hash", sa.LargeBinary, primary_key=True),
    column.ref("alert_id", "alert", index=True),
    column.word("channel"),
    column.now("created_at"),
    column.at("expires_at"),
    sa.Index("ix_alert_code_expires_at", "expires_at"),
)
