"""The music room behind its elements: what its tools ask of a model, what it tells of a piece, and whose."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from genai_studio.domain.modality import Modality
from genai_studio.errors import InvalidInput, NotAllowed, NotFound
from genai_studio.gallery.records import Record
from genai_studio.models.tunes.composing import arranged
from genai_studio.models.tunes.controls import decide
from genai_studio.models.tunes.prompt import Wishes
from genai_studio.models.tunes.recast import Melody
from genai_studio.score.arranging.arrange import ENSEMBLES
from genai_studio.score.document import read_document
from genai_studio.score.exports import FORMATS
from genai_studio.score.model import Note, Section
from genai_studio.studio import Studio
from genai_studio.ui.form import Form
from genai_studio.ui.i18n import dictionary
from genai_studio.ui.music import edits, pieces
from genai_studio.ui.music.bring_in import BringIn
from genai_studio.ui.music.calls import EngravingAsked, MusicCalls
from genai_studio.ui.music.chips import Chips, without
from genai_studio.ui.music.room import MusicRoom, Work
from genai_studio.ui.music.versions import PIECE, label_of, origin_of, versions_of
from genai_studio.ui.server_calls import Caller

NOBODY: Any = None
"""The request of a person without a login, in English."""

MODALITY = Modality.MUSIC


def compose(studio: Studio, prompt: str = "a jig in G major", **values: Any) -> Record:
    return studio.generate("demo-music", prompt, seed=3, **values)[0]


def edited(studio: Studio, record: Record, form: dict[str, Any] | None = None, **asked: Any) -> list[Record]:
    values = edits.values_of(edits.Edit(**asked), record, form or {})
    return studio.generate("demo-music", inputs={PIECE: record.id}, **{**values, "seed": 5})


def melody(studio: Studio, record: Record) -> list[Any]:
    return list(read_document(studio.gallery.open(record.id, "score")).melody)


@pytest.fixture
def room(studio: Studio, form: Form) -> MusicRoom:
    work = Work(*(gr.HTML() for _ in range(5)))
    return MusicRoom(studio, SimpleNamespace(delivery_outputs=[]), form, work)  # type: ignore[arg-type]


def shown(form: Form, prompt: str = "", /, **changed: Any) -> list[Any]:
    """Values of the form's inputs."""
    panel = form.panels[0]
    start = panel.defaults(form.first.defaults)
    return [form.first.id, prompt, *({**start, **changed}[name] for name in panel.fields)]


# Edits


def test_repainting_writes_the_chosen_bars_and_no_other(studio: Studio) -> None:
    piece = compose(studio)
    before = read_document(studio.gallery.open(piece.id, "score"))
    made = edited(studio, piece, action="repaint", first=3, last=4, count=3, repeats=False)
    start, end = 2 * before.bar_ticks, 4 * before.bar_ticks
    versions = [[note for note in melody(studio, record) if start <= note.start < end] for record in made]
    assert len({str(version) for version in versions}) == 3
    for record in made:
        assert record.info["new_bars"] == [3, 4]
        kept = [(n.start, n.pitch) for n in melody(studio, record) if not start <= n.start < end]
        assert kept == [(n.start, n.pitch) for n in before.melody if not start <= n.start < end]


def test_an_answer_takes_the_place_of_what_follows_or_comes_after_the_end(studio: Studio) -> None:
    piece = compose(studio)
    inside = edits.values_of(edits.Edit(action="answer", first=1, last=2, count=3), piece, {})
    assert (inside["action"], inside["first_bar"], inside["last_bar"]) == ("repaint", 3, 4)
    behind = edits.values_of(edits.Edit(action="answer", first=7, last=8), piece, {})
    assert (behind["action"], behind["bars"]) == ("continue", 8)
    cut = edits.values_of(edits.Edit(action="answer", first=3, last=6), piece, {})
    assert (cut["first_bar"], cut["last_bar"]) == (7, 8)


def test_arranging_takes_the_form_and_keeps_the_tune(studio: Studio) -> None:
    piece = compose(studio, "a waltz in D major")
    form = {"key": "E", "accompaniment": "piano", "prompt": "", "count": 4}
    (made,) = edited(studio, piece, form, action="arrange", count=1)
    assert made.info["key"] == "E major"
    score = read_document(studio.gallery.open(made.id, "score"))
    assert score.ensemble == "piano"
    steps = [note.pitch - melody(studio, piece)[0].pitch for note in melody(studio, piece)]
    assert [note.pitch - score.melody[0].pitch for note in score.melody] == steps


def test_without_bars_there_is_nothing_to_repaint(studio: Studio) -> None:
    piece = compose(studio)
    for action in ("repaint", "answer"):
        with pytest.raises(InvalidInput, match="Choose the bars"):
            edits.values_of(edits.Edit(action=action), piece, {})
    for wrong in ({"action": "explode"}, {"action": "repaint", "first": -1}, {"action": "repaint", "count": 99}, {}):
        with pytest.raises(InvalidInput, match="Reload"):
            edits.Edit.of(gr.EventData(None, wrong))


# Pieces, versions, takes


def test_a_piece_tells_what_its_elements_draw(studio: Studio) -> None:
    piece = compose(studio, "a jig in G major, 4 bars introduction, 12 bars")
    value = pieces.sheet_value(studio, piece, "en")
    assert value["title"] == "Jig in G major"
    assert value["facts"][:2] == ["G major", "6/8"]
    assert (value["bars"], value["first_bar"], value["last_bar"]) == (12, 5, 12)
    assert value["clock"] == sorted(value["clock"])
    assert pieces.sheet_value(studio, piece, "zh-CN")["title"] != value["title"]
    sound = pieces.sound_value(studio, piece, "group")
    assert len(sound["stems"]) == len(sound["parts"]) > 1
    assert {name for name, _, _ in sound["formats"]} == FORMATS.keys()
    assert all(0 <= start < 1 for start, _, _ in pieces.glimpse(studio, piece, (5, 8)))
    assert pieces.glimpse(studio, piece, (40, 48)) == []


def test_a_recording_without_a_score_can_still_be_heard(studio: Studio) -> None:
    piece = compose(studio)
    studio.gallery.open(piece.id, "score").write_text("{}")
    pieces._read.cache_clear()
    assert pieces.sheet_value(studio, piece, "en")["engravable"] is False
    assert "stems" not in pieces.sound_value(studio, piece, "group")


def test_versions_are_the_whole_line_and_leave_out_what_was_let_go(studio: Studio) -> None:
    first = compose(studio)
    second, third = edited(studio, first, action="repaint", first=1, last=2, count=2)
    (fourth,) = edited(studio, third, action="continue", count=1)
    assert versions_of(studio, first, "en")[0]["label"] == "Composed"
    assert [step["id"] for step in versions_of(studio, second, "en")] == [first.id, second.id, third.id, fourth.id]
    assert label_of(fourth, "en") == "Continued"
    assert origin_of(studio, fourth).id == first.id
    studio.gallery.trash([second.id])
    assert [step["depth"] for step in versions_of(studio, fourth, "en")] == [0, 1, 2]
    studio.gallery.purge([third.id])
    assert origin_of(studio, fourth).id == fourth.id


def test_keeping_one_proposal_lets_the_others_go_and_refusing_lets_all(studio: Studio, room: MusicRoom) -> None:
    piece = compose(studio)
    made = edited(studio, piece, action="repaint", first=1, last=2, count=3)
    value = room.alone(made[0].id, NOBODY)[room.work.takes]
    assert (value["proposals"], len(value["takes"]), value["before"]["record"]["id"]) == (True, 3, piece.id)
    room.act(NOBODY, event(record=made[1].id, action="accept"))
    assert [studio.gallery.get(record.id).trashed is None for record in made] == [False, True, False]
    assert room.alone(made[1].id, NOBODY)[room.work.takes]["proposals"] is False
    again = edited(studio, piece, action="continue", count=2)
    updates = room.act(NOBODY, event(record=again[0].id, action="reject"))
    assert all(studio.gallery.get(record.id).trashed for record in again)
    assert updates[room.work.score]["record"] == piece.id
    with pytest.raises(InvalidInput, match="no proposals"):
        room.act(NOBODY, event(record=piece.id, action="accept"))


def event(**data: Any) -> gr.EventData:
    return gr.EventData(None, data)


def test_the_sheet_of_another_owner_is_not_shown(studio: Studio) -> None:
    piece = studio.generate("demo-music", "a jig", owner="ann", seed=1)[0]
    calls = MusicCalls(studio)
    asked = EngravingAsked(id=piece.id, width=600)
    answer = calls.music_engraving(Caller("ann", "en"), asked)
    assert [number for _, number, _ in answer["bars"]] == list(range(1, 9))
    assert all(f'id="{bar}"' in answer["svg"] for bar, _, _ in answer["bars"])
    assert "<script" not in answer["svg"]
    with pytest.raises(NotAllowed):
        calls.music_engraving(Caller("bob", "en"), asked)
    text = studio.generate("text", "Two lines.", owner="ann", seed=1)[0]
    with pytest.raises(NotFound):
        calls.music_engraving(Caller("ann", "en"), EngravingAsked(id=text.id, width=600))


# Chips


@pytest.mark.parametrize(
    ("prompt", "words", "left"),
    [
        ("a sad jig in D minor at 100 bpm, please", "100 bpm", "a sad jig in D minor please"),
        ("a jig in D minor", "D minor", "a jig"),
        ("waltz, 16 bars", "WALTZ", "16 bars"),
        ("悲伤的圆舞曲，16 小节", "16 小节", "悲伤的圆舞曲"),
        ("a jig", "reel", "a jig"),
        ("a jig", "", "a jig"),
    ],
)
def test_words_leave_the_prompt_with_what_held_them(prompt: str, words: str, left: str) -> None:
    assert without(prompt, words) == left


def test_the_panel_goes_before_the_prompt_and_contradictions_are_told(studio: Studio, form: Form) -> None:
    chips = Chips(SimpleNamespace(), form, gr.HTML())  # type: ignore[arg-type]
    value = chips.read(NOBODY, *shown(form, "a waltz in D minor"))
    found = {wish["field"]: (wish["value"], wish["source"]) for wish in value["wishes"]}
    assert found["style"] == ("waltz", "words")
    assert found["key"] == ("D", "words")
    value = chips.read(NOBODY, *shown(form, "a waltz in D minor", key="F"))
    assert next(wish for wish in value["wishes"] if wish["field"] == "key")["source"] == "panel"
    assert value["problem"] == ""
    assert "waltz" in chips.read(NOBODY, *shown(form, "a waltz in 4/4"))["problem"]


def test_a_chip_sets_and_frees_its_control(studio: Studio, form: Form) -> None:
    chips, panel = Chips(SimpleNamespace(), form, gr.HTML()), form.panels[0]  # type: ignore[arg-type]
    values = shown(form, "a waltz", key="F")
    assert chips.change(NOBODY, event(field="key", value="G"), *values)[panel.fields["key"]]["value"] == "G"
    for field, value in (("key", "H"), ("bars", 7), ("seed", 3), ("nonsense", 1)):
        with pytest.raises(InvalidInput):
            chips.change(NOBODY, event(field=field, value=value), *values)
    freed = chips.remove(NOBODY, event(field="key", words="", source="panel"), *values)
    assert freed[panel.fields["key"]]["value"] == "auto"
    rest = chips.remove(NOBODY, event(field="style", words="waltz", source="words"), *values)
    assert rest[form.prompt]["value"] == ""
    surprised = chips.surprise(NOBODY, *values)
    drawn = {name: surprised[control]["value"] for name, control in panel.fields.items() if control in surprised}
    assert chips.read(NOBODY, *shown(form, surprised[form.prompt]["value"], **drawn))["problem"] == ""


# Own tunes


def test_only_an_upload_that_is_music_is_kept(studio: Studio, form: Form, room: MusicRoom, tmp_path) -> None:
    door = BringIn(studio, form, room, gr.HTML())
    (tmp_path / "own.mid").write_bytes(b"MThd")
    with pytest.raises(NotFound):
        door.brought(event(path=str(tmp_path / "own.mid"), name="own.mid"))
    for asset in ("", "asset:../../etc/passwd", "x" * 500):
        with pytest.raises(InvalidInput, match="Bring a tune"):
            door.use(NOBODY, event(asset=asset, action="arrange"), *shown(form))
    with pytest.raises(InvalidInput):
        edits.of_a_file("explode", {})
    assert edits.of_a_file("harmonise", {"count": 4})["count"] == 1


def test_every_player_has_a_name_in_chinese() -> None:
    names = set()
    for ensemble in ENSEMBLES:
        for style in ("air", "march"):
            controls = decide(Wishes(bars=16, style=style, ensemble=ensemble, metre="4/4"), Wishes(), 1)
            notes = tuple(Note(24 * beat, 24, controls.tonic + beat % 5) for beat in range(64))
            body = Melody(notes, (Section("A", 0, 8), Section("B", 8, 8)), controls.key, "4/4", 0)
            names |= {part.name for part in arranged(body, controls).parts}
    assert len(names) > 20
    assert sorted(names - dictionary("zh-CN").keys()) == []
