"""Jobs, switches, records, lineage, removals, and the search index over records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DatabaseError

revision = "0001"
down_revision = None

SEARCH = (
    # The index needs integers that never change, and SQLite may renumber rowids of `records` in a VACUUM.
    "CREATE TABLE search_rows (number INTEGER PRIMARY KEY, record VARCHAR(60) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE search_words USING fts5(prompt, excerpt, model, model_title, tokenize='trigram')",
    """CREATE TRIGGER search_insert AFTER INSERT ON records BEGIN
         INSERT INTO search_rows (record) VALUES (new.id);
         INSERT INTO search_words (rowid, prompt, excerpt, model, model_title)
           SELECT number, new.prompt, new.excerpt, new.model, new.model_title FROM search_rows WHERE record = new.id;
       END""",
    """CREATE TRIGGER search_update AFTER UPDATE OF prompt, excerpt, model, model_title ON records BEGIN
         UPDATE search_words SET prompt = new.prompt, excerpt = new.excerpt, model = new.model,
           model_title = new.model_title WHERE rowid = (SELECT number FROM search_rows WHERE record = old.id);
       END""",
    """CREATE TRIGGER search_delete AFTER DELETE ON records BEGIN
         DELETE FROM search_words WHERE rowid = (SELECT number FROM search_rows WHERE record = old.id);
         DELETE FROM search_rows WHERE record = old.id;
       END""",
)


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("position", sa.Float, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("started", sa.Float),
        sa.Column("ended", sa.Float),
        sa.Column("heartbeat", sa.Float),
        sa.Column("worker", sa.String(40), nullable=False, server_default=""),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
        sa.Column("retry_of", sa.String(40)),
        sa.Column("again_of", sa.String(60)),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state_position", "jobs", ["state", "position"])
    op.create_index("ix_jobs_owner_created", "jobs", ["owner", "created"])
    op.create_table(
        "switches",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_switches"),
    )
    op.create_table(
        "records",
        sa.Column("id", sa.String(60), nullable=False),
        sa.Column("job", sa.String(40), nullable=False),
        sa.Column("output_index", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("modality", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("model_title", sa.String(200), nullable=False, server_default=""),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("excerpt", sa.Text, nullable=False, server_default=""),
        sa.Column("key", sa.String(300), nullable=False, unique=True),
        sa.Column("mime", sa.String(100), nullable=False),
        sa.Column("companions", sa.JSON, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("seconds", sa.Float),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("info", sa.JSON, nullable=False),
        sa.Column("recipe", sa.JSON, nullable=False),
        sa.Column("comparison", sa.JSON),
        sa.Column("starred", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("trashed", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_records"),
    )
    for columns in ([], ["owner"], ["owner", "modality"], ["owner", "model"], ["owner", "starred"]):
        name = "_".join(["ix_records", *columns])
        op.create_index(name, "records", [*columns, "trashed", "created", "id"])
    op.create_index("ix_records_job", "records", ["job"])
    op.create_table(
        "parents",
        sa.Column("child", sa.String(60), nullable=False),
        sa.Column("parent", sa.String(60), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("child", "parent", "role", name="pk_parents"),
        sa.ForeignKeyConstraint(["child"], ["records.id"], name="fk_parents_child", ondelete="CASCADE"),
    )
    op.create_index("ix_parents_parent", "parents", ["parent"])
    op.create_table(
        "removals",
        sa.Column("id", sa.String(60), nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_removals"),
    )
    create_search()


def create_search() -> None:
    """An FTS5 index over trigrams, where the database can have one; triggers keep it."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    try:
        op.execute("CREATE VIRTUAL TABLE search_probe USING fts5(words, tokenize='trigram')")
    except DatabaseError:
        return
    op.execute("DROP TABLE search_probe")
    for statement in SEARCH:
        op.execute(statement)
