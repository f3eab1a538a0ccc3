"""Tasks for people of an organisation, and how volunteers are after a mission."""

from __future__ import annotations

import sqlalchemy as sa

from dispatch.tables import column

#: Something that a person has to do by a time; `subject_id` is what it is about, by its kind.
task = sa.Table(
    "task",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org"),
    column.word("kind"),
    sa.Column("subject_id", sa.Uuid, nullable=False, index=True),
    column.json("body"),
    column.flag("exercise"),
    column.at("created_at"),
    column.at("due_at"),
    column.at("taken_at", nullable=True),
    column.ref("taken_by", "person", nullable=True),
    column.at("done_at", nullable=True),
    column.ref("done_by", "person", nullable=True),
    column.word("note", nullable=True),
    # When somebody was told that it is overdue.
    column.at("overdue_at", nullable=True),
    sa.Index("ix_task_open", "org_id", "due_at", postgresql_where=sa.text("done_at is null")),
)

#: How a volunteer says to be after a mission. Read by themselves and by carers alone.
survey = sa.Table(
    "survey",
    column.metadata,
    column.identity(),
    column.ref("responder_id", "responder", index=True),
    column.ref("incident_id", "incident"),
    # The mission that it is about: one of each opening of the incident. Null in old rows.
    column.ref("assignment_id", "assignment", nullable=True),
    # 1: after ninety minutes; 2: after four weeks.
    sa.Column("round", sa.SmallInteger, nullable=False),
    column.flag("exercise"),
    column.at("asked_at"),
    # When web push was tried; the app shows the question anyway.
    column.at("pushed_at", nullable=True),
    column.at("answered_at", nullable=True),
    column.word("impact", nullable=True),
    column.word("text", nullable=True),
    sa.UniqueConstraint("assignment_id", "round"),
    sa.CheckConstraint("impact in ('none','low','moderate','severe')", name="impact"),
    sa.CheckConstraint("round in (1, 2)", name="round"),
    sa.Index("ix_survey_unpushed", "asked_at", postgresql_where=sa.text("pushed_at is null")),
)
