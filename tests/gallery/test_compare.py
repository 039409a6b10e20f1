"""Identical, differs by how much, or another environment; and the small pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from PIL import Image
from staged_files import make_recipe

from genai_studio.domain.modality import MediaKind
from genai_studio.domain.request import new_id
from genai_studio.errors import GenerationFailed, NotFound
from genai_studio.gallery import media, thumbnails
from genai_studio.gallery.compare import difference


def flat(staging, name, colour, size=(8, 8)):
    path = staging.folder / name
    Image.new("RGBA", size, colour).save(path)
    return path


def sound(staging, name, samples, rate=8000, subtype="PCM_16"):
    path = staging.folder / name
    soundfile.write(path, np.asarray(samples), rate, subtype=subtype)
    return path


def test_pictures_differ_by_their_mean(staging):
    black, white = flat(staging, "a.png", (0, 0, 0, 0)), flat(staging, "b.png", (255, 255, 255, 255))
    grey = flat(staging, "c.png", (51, 51, 51, 51))
    assert difference(MediaKind.IMAGE, black, black) == 0
    assert difference(MediaKind.IMAGE, black, white) == 1
    assert difference(MediaKind.IMAGE, black, grey) == difference(MediaKind.IMAGE, grey, black) == pytest.approx(0.2)
    assert difference(MediaKind.IMAGE, black, flat(staging, "d.png", (0, 0, 0, 0), (8, 9))) == 1
    tall = [flat(staging, name, (n, 0, 0, 0), (3, 700)) for name, n in (("e.png", 0), ("f.png", 102))]
    assert difference(MediaKind.IMAGE, *tall) == pytest.approx(0.1)


def test_recordings_differ_by_their_mean_and_the_shorter_is_silent_at_its_end(staging):
    loud = sound(staging, "a.wav", [0.5] * 1000)
    quiet = sound(staging, "b.wav", [-0.5] * 1000)
    half = sound(staging, "c.wav", [0.5] * 500)
    assert difference(MediaKind.AUDIO, loud, loud) == 0
    assert difference(MediaKind.AUDIO, loud, quiet) == pytest.approx(0.5, abs=1e-3)
    assert difference(MediaKind.AUDIO, loud, half) == difference(MediaKind.AUDIO, half, loud) == pytest.approx(0.125)
    assert difference(MediaKind.AUDIO, loud, sound(staging, "d.wav", [0.5] * 1000, rate=16000)) == 1
    empty = sound(staging, "e.wav", [])
    assert difference(MediaKind.AUDIO, empty, empty) == 0


def test_texts_differ_by_their_characters(staging):
    one, other = staging.text("a.txt", "the sea"), staging.text("b.txt", "the see")
    assert difference(MediaKind.TEXT, one, one) == 0
    assert difference(MediaKind.TEXT, one, other) == pytest.approx(1 / 7)
    assert difference(MediaKind.TEXT, one, staging.text("c.txt", "")) == 1
    start, end = "the sea is wide " * 2000, " and the boat is small" * 2000
    long = [staging.text(name, start + middle + end) for name, middle in (("d.txt", "x"), ("e.txt", "y"))]
    assert difference(MediaKind.TEXT, *long) == pytest.approx(1 / (len(start) + len(end) + 1))
    worst = [staging.text(name, words * 100_000) for name, words in (("f.txt", "ab"), ("g.txt", "ba"))]
    assert 0 < difference(MediaKind.TEXT, *worst) < 0.01


def test_the_verdict_names_what_changed_around_it(gallery, staging):
    def save(shift, **changes):
        return gallery.save(
            owner="local",
            job=new_id(),
            index=0,
            recipe=make_recipe(**changes),
            kind=MediaKind.IMAGE,
            staged=staging.image(shift=shift),
        )

    old = {"environment": {"torch": "2.9", "device": "cpu"}}
    first, same, other = save(0, **old), save(0, **old), save(20, **old)
    elsewhere = save(20, environment={"torch": "2.13", "device": "cpu"}, files={"model": "ab"})
    assert gallery.compare(first, same).sentence() == "Identical: the same bytes as before."
    assert gallery.compare(first, other).verdict == "differs"
    assert 0 < gallery.compare(first, other).amount < 20 / 255
    comparison = gallery.compare(first, elsewhere)
    assert comparison.verdict == "environment differs"
    assert comparison.changes == {"model": ("absent", "ab"), "torch": ("2.9", "2.13")}
    assert (comparison.original, comparison.again) == (first.id, elsewhere.id)
    gallery.set_comparison(elsewhere.id, comparison)
    assert gallery.get(elsewhere.id).comparison == comparison
    assert gallery.get(first.id).comparison is None
    gallery.open(first.id).unlink()
    assert gallery.compare(first, same).verdict == "identical"
    with pytest.raises(NotFound):
        gallery.compare(first, other)
    with pytest.raises(NotFound):
        gallery.set_comparison("gone", comparison)


def test_a_thumbnail_keeps_shape_and_transparency():
    for size, expected in (((1000, 250), (384, 96)), ((100, 300), (100, 300)), ((1, 4000), (1, 384))):
        image = Image.new("RGBA", size, (200, 20, 20, 255))
        image.putpixel((0, 0), (0, 0, 0, 0))
        small = Image.open(io.BytesIO(thumbnails.of_image(image)))
        assert (small.format, small.size) == ("WEBP", expected)
        assert image.size == size
    half = Image.new("RGBA", (600, 600), (200, 20, 20, 255))
    half.paste((0, 0, 0, 0), (0, 0, 300, 600))
    alpha = np.asarray(Image.open(io.BytesIO(thumbnails.of_image(half))).convert("RGBA"))[..., 3]
    assert (alpha[:, 20].max(), alpha[:, 360].min()) == (0, 255)


def test_a_waveform_is_symmetric_and_as_high_as_it_is_loud():
    peaks = [0.0] * 200 + [0.25] * 200
    alpha = np.asarray(Image.open(io.BytesIO(thumbnails.of_audio(peaks))).convert("RGBA"))[..., 3].astype(int)
    assert alpha.shape == thumbnails.WAVE_SIZE[::-1]
    assert np.abs(alpha - alpha[::-1]).max() < 8
    covered = (alpha > 128).sum(axis=0)
    assert covered[:190].max() < 10
    assert covered[200:].max() > thumbnails.WAVE_SIZE[1] * 0.95
    for odd in ([], [0.0], [1.0], [0.5] * 3):
        assert Image.open(io.BytesIO(thumbnails.of_audio(odd))).size == thumbnails.WAVE_SIZE


def test_peaks_follow_the_recording(staging):
    samples = np.zeros(40_000)
    samples[20_000:30_000] = -0.8
    facts = media.facts(MediaKind.AUDIO, sound(staging, "a.wav", samples))
    assert (len(facts.peaks), facts.seconds) == (400, 5.0)
    assert facts.peaks[:200] == (0.0,) * 200
    assert facts.peaks[200:300] == pytest.approx([0.8] * 100, abs=1e-3)
    assert len(media.facts(MediaKind.AUDIO, sound(staging, "b.wav", [0.1] * 10)).peaks) == 400
    assert set(media.facts(MediaKind.AUDIO, sound(staging, "c.wav", [])).peaks) == {0.0}


def test_the_content_hash_knows_content_not_container(staging):
    samples = (np.sin(np.arange(4000)) * 20000).astype(np.int16)
    hashes = {
        name: media.facts(MediaKind.AUDIO, sound(staging, name, samples, rate)).content_sha256
        for name, rate in (("a.wav", 8000), ("a.flac", 8000), ("b.wav", 16000))
    }
    assert hashes["a.wav"] == hashes["a.flac"] != hashes["b.wav"]
    one, other = flat(staging, "a.png", (9, 9, 9, 255)), staging.folder / "b.png"
    Image.new("RGB", (8, 8), (9, 9, 9)).save(other, compress_level=1)
    pictures = [media.facts(MediaKind.IMAGE, path).content_sha256 for path in (one, other)]
    assert pictures[0] == pictures[1]
    wide = flat(staging, "c.png", (9, 9, 9, 255), (16, 4))
    assert media.facts(MediaKind.IMAGE, wide).content_sha256 != pictures[0]


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked(staging, monkeypatch):
    path = flat(staging, "a.png", (0, 0, 0, 0), (100, 100))
    monkeypatch.setattr(media, "MAX_PIXELS", 9_999)
    with pytest.raises(GenerationFailed, match="too many"):
        media.facts(MediaKind.IMAGE, path)
