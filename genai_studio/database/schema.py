"""SQLAlchemy tables. Times are seconds since 1970 (UTC) as float; JSON columns hold what domain models dump."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("request", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Column("position", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Column("heartbeat", Float),
    Column("worker", String(40), nullable=False, server_default=""),
    Column("error", Text, nullable=False, server_default=""),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("retry_of", String(40)),
    Column("again_of", String(60)),
    Index("ix_jobs_state_position", "state", "position"),
    Index("ix_jobs_owner_created", "owner", "created"),
)

SWITCHES = Table(
    "switches",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", JSON, nullable=False),
)
"""Few lasting facts about the studio itself, such as whether the queue is paused."""

RECORDS = Table(
    "records",
    METADATA,
    Column("id", String(60), primary_key=True),
    Column("job", String(40), nullable=False),
    Column("output_index", Integer, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("modality", String(20), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("model", String(200), nullable=False),
    Column("model_title", String(200), nullable=False, server_default=""),
    Column("prompt", Text, nullable=False),
    Column("excerpt", Text, nullable=False, server_default=""),
    Column("key", String(300), nullable=False, unique=True),
    Column("mime", String(100), nullable=False),
    Column("companions", JSON, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("seconds", Float),
    Column("seed", Integer, nullable=False),
    Column("info", JSON, nullable=False),
    Column("recipe", JSON, nullable=False),
    Column("comparison", JSON),
    Column("starred", Boolean, nullable=False, server_default="0"),
    Column("created", Float, nullable=False),
    Column("trashed", Float),
    Index("ix_records_job", "job"),
    *(
        Index("_".join(["ix_records", *columns]), *columns, "trashed", "created", "id")
        for columns in ([], ["owner"], ["owner", "modality"], ["owner", "model"], ["owner", "starred"])
    ),
)
"""A page of the gallery, whichever filter is set, reads one of the indexes backwards and stops."""

PARENTS = Table(
    "parents",
    METADATA,
    Column("child", String(60), ForeignKey("records.id", ondelete="CASCADE"), primary_key=True),
    Column("parent", String(60), primary_key=True),
    Column("role", String(40), primary_key=True),
    Index("ix_parents_parent", "parent"),
)
"""Lineage. A parent may be gone for good while its child stays, so only the child is a foreign key."""

REMOVALS = Table(
    "removals",
    METADATA,
    Column("id", String(60), primary_key=True),
    Column("files", JSON, nullable=False),
)
"""Records deleted for good whose files may still be there. Written in the transaction that deletes the row and
cleared once the files are gone, so that a crash in between neither loses the row's file nor brings it back."""
