"""Pages cover every record once while others arrive; search takes any text as data; filters mean what they say."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from staged_files import make_recipe

from genai_studio.database.connect import Database
from genai_studio.domain.modality import MediaKind
from genai_studio.errors import InvalidInput
from genai_studio.gallery import records
from genai_studio.gallery.records import Record
from genai_studio.gallery.store import GalleryStore

ODD = [
    '"',
    "'",
    "%",
    "_",
    "*",
    "\\",
    "(",
    "a OR b",
    "NEAR(",
    "-x",
    "^",
    ":",
    "{",
    "''\"\"",
    "🦊",
    "👩‍👩‍👧",
    "\x00",
    "\ud800",
    "\u202e",
]


def row(number: int, **changes: object) -> Record:
    job = f"{number:020x}"
    recipe = make_recipe("text", str(changes.get("prompt", f"prompt {number}")))
    record = Record(
        id=f"{job}-00",
        job=job,
        output_index=0,
        owner="local",
        modality=recipe.request.modality,
        kind=MediaKind.TEXT,
        model="smollm2",
        model_title="SmolLM2 135M",
        prompt=recipe.request.prompt,
        excerpt="",
        key=f"2026/11/24/{job}-00.txt",
        mime="text/plain",
        companions={},
        size=1,
        sha256="0" * 64,
        content_sha256="0" * 64,
        width=None,
        height=None,
        seconds=None,
        seed=7,
        info={},
        recipe=recipe,
        comparison=None,
        starred=False,
        created=float(number),
        trashed=None,
    )
    return dataclasses.replace(record, **changes)


def add(database: Database, rows: Iterable[Record]) -> None:
    rows = list(rows)
    if rows:
        with database.write() as connection:
            records.add(connection, *rows)


def ids(gallery: GalleryStore, **choice: object) -> list[str]:
    found, before = [], None
    while True:
        page = gallery.page(before=before, limit=500, **choice)
        found += [record.id for record in page.records]
        before = page.next
        if before is None:
            return found


def test_pages_cover_every_row_once_while_new_ones_arrive(gallery, database):
    draw = random.Random(4)
    # Many share their time, as the outputs of one job do, and some times have a fraction.
    rows = [
        row(number, created=1_700_000_000 + draw.randrange(400) / 8 + draw.random() * 1e-6) for number in range(5000)
    ]
    rows = [dataclasses.replace(item, created=rows[number // 7 * 7].created) for number, item in enumerate(rows)]
    add(database, rows)
    seen: list[str] = []
    before, arrived = None, 5000
    while True:
        page = gallery.page(before=before, limit=draw.randrange(1, 300))
        seen += [record.id for record in page.records]
        add(database, [row(arrived, created=1_800_000_000.5 + arrived)])
        arrived += 1
        before = page.next
        if before is None:
            break
    expected = sorted(rows, key=lambda item: (item.created, item.id), reverse=True)
    assert seen == [item.id for item in expected]
    assert gallery.count() == arrived


@pytest.mark.parametrize("indexed", [True, False])
def test_pages_of_a_search_cover_what_it_finds_once(gallery, database, indexed):
    database.indexed = indexed
    draw = random.Random(5)
    rows = [row(number, prompt=draw.choice(["a red fox", "a red hen", "foxes"])) for number in range(300)]
    add(database, rows)
    seen: list[str] = []
    before, arrived = None, 300
    while True:
        page = gallery.page(words="red fox", limit=draw.randrange(1, 20), before=before)
        seen += [record.id for record in page.records]
        before = page.next
        if before is None:
            break
        add(database, [row(arrived, prompt="a red fox")])
        gallery.purge([page.records[-1].id])
        arrived += 1
    assert seen == [item.id for item in reversed(rows) if item.prompt == "a red fox"]


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"modality": "text"},
        {"model": "m"},
        {"starred": True},
        {"words": "longer"},
        {"words": "红"},
        {"trashed": True},
    ],
)
def test_a_page_never_sorts_or_scans_the_gallery(gallery, database, choice):
    add(database, [row(number) for number in range(3)])
    statements = []
    event.listen(database._readers, "before_cursor_execute", lambda *args: statements.append(args[2:4]))
    gallery.page(owner="local", **choice)
    gallery.count("local", **choice)
    for statement, parameters in [item for item in statements if "FROM" in item[0]]:
        with database.read() as connection:
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(step.detail) for step in found]
        if len(choice.get("words", "")) >= 3:
            assert steps[0].startswith("SCAN search_words VIRTUAL TABLE INDEX")
        else:
            assert steps[0].startswith("SEARCH records USING")
        assert choice.get("trashed") or not any("TEMP B-TREE" in step for step in steps)


@pytest.mark.parametrize(
    "before", ["", "x", "1.5", "1.5~", "~a", "nan~a-00", "1e9~a-00", "1.5~a'--", "-1.0~a-00", "1.5~a-00\n", "9" * 5000]
)
def test_a_cursor_that_is_not_ours_is_refused(gallery, before):
    with pytest.raises(InvalidInput):
        gallery.page(before=before)


@pytest.mark.parametrize("limit", [0, -1, 501, 10**9])
def test_a_page_has_a_sensible_size(gallery, limit):
    with pytest.raises(InvalidInput):
        gallery.page(limit=limit)


def test_the_end_of_the_gallery_has_no_next_page(gallery, database):
    assert gallery.page() == records.Page([], None)
    add(database, [row(number) for number in range(4)])
    assert gallery.page(limit=4).next is None
    assert gallery.page(limit=3).next is not None


def test_filters(gallery, database):
    rows = [
        row(1, owner="ann", model="a"),
        row(2, owner="bob", model="b", starred=True),
        row(3, owner="ann", model="b", kind=MediaKind.IMAGE, modality=make_recipe().request.modality),
        row(4, owner="ann", model="a", trashed=9.0, starred=True),
    ]
    add(database, rows)
    assert ids(gallery, owner="ann") == [rows[2].id, rows[0].id]
    assert ids(gallery, model="b", modality="text") == [rows[1].id]
    assert ids(gallery, starred=True) == [rows[1].id]
    assert ids(gallery, starred=False) == [rows[2].id, rows[0].id]
    assert ids(gallery, trashed=True, owner="ann") == [rows[3].id]
    assert ids(gallery, modality="image' OR 1=1 --") == []
    assert gallery.models("ann") == ["a", "b"]
    assert gallery.models("bob") == ["b"]
    assert (gallery.count("ann"), gallery.count(model="b"), gallery.count(trashed=True)) == (2, 2, 1)


SEARCHES = [
    ("fox", {1}),
    ("FOX", {1}),
    ("red brown", {1}),
    ("ox", {1, 4}),
    ("狐狸", {2}),
    ("的红狐狸", {2}),
    ("狐 雪", {2}),
    ("smollm2 fox", {1}),
    ("135m", {1, 2, 3, 4}),
    ("100%", {3}),
    ("%", {3}),
    ("_", {3}),
    ("0% _a", {3}),
    ("🦊", {3}),
    ("fox%", set()),
    ("f*x", set()),
    ("fox OR ox", set()),
    ('"oxen', {4}),
    ("  \t ", {1, 2, 3, 4}),
    ("\x00", {1, 2, 3, 4}),
    ("fo\x00ox", {1}),
    ("ÉTÉ", {4}),
]


@pytest.mark.parametrize("indexed", [True, False])
def test_search(gallery, database, indexed):
    assert database.indexed
    database.indexed = indexed
    prompts = ["a red fox and a brown bear", "雪地里的红狐狸", "100% _a 🦊 emoji", 'the "oxen" of été']
    add(database, [row(number, prompt=prompt) for number, prompt in enumerate(prompts, 1)])
    for words, expected in SEARCHES:
        if words == "ÉTÉ" and not indexed:
            continue  # SQLite's own LIKE knows upper and lower case of ASCII only
        assert {int(found[:20], 16) for found in ids(gallery, words=words)} == expected, words
        assert gallery.count(words=words) == len(expected)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("indexed", [True, False])
def test_odd_words_are_data(gallery, database, odd, indexed):
    database.indexed = indexed
    add(database, [row(1, prompt=f"before {odd}{odd}{odd} after".replace("\x00", "").replace("\ud800", "")), row(2)])
    for words in (odd, odd * 3, f"before {odd}", f'"{odd}', f"{odd}zzz"):
        found = ids(gallery, words=words)
        assert row(2).id not in found or not odd.strip("\x00\ud800")
    assert row(1).id in ids(gallery, words=odd)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.text(st.sampled_from("ab%_\"'*\\-猫🦊 ("), max_size=8),
    prompts=st.lists(st.text("ab%_\"'*\\-猫🦊(", max_size=8), max_size=6),
)
def test_search_finds_what_contains_every_word(gallery, database, words, prompts):
    with database.write() as connection:
        connection.execute(text("DELETE FROM records"))
    add(database, [row(number, prompt=prompt, model="m", model_title="") for number, prompt in enumerate(prompts)])
    expected = {number for number, prompt in enumerate(prompts) if all(word in prompt for word in words.split())}
    assert {int(found[:20], 16) for found in ids(gallery, words=words)} == expected


def test_a_search_that_is_too_long_is_refused(gallery):
    with pytest.raises(InvalidInput, match="at most 500"):
        gallery.page(words="a" * 501)
    assert gallery.page(words="a " * 250).records == []


def test_the_index_follows_changes_and_survives_a_vacuum(gallery, database):
    add(database, [row(number, prompt=f"animal number{number}") for number in range(20)])
    gallery.purge([row(number).id for number in range(0, 20, 2)])
    with database._writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("VACUUM")
    assert ids(gallery, words="number8") == []
    assert ids(gallery, words="number9") == [row(9).id]
    with database.write() as connection:
        records.change(connection, [row(9).id], prompt="something else")
    assert ids(gallery, words="number9") == []
    assert ids(gallery, words="something") == [row(9).id]
    gallery.purge([row(9).id])
    assert ids(gallery, words="something") == []
    assert len(ids(gallery, words="animal")) == 9
