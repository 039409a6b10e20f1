"""Files as a family would leave them for the gallery, and recipes for them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image

from genai_studio.domain.modality import Modality
from genai_studio.domain.recipe import Recipe
from genai_studio.domain.request import Request

MUSICXML = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
<score-partwise version="4.0"><work><work-title>Tune</work-title></work>
<part-list><score-part id="P1"><part-name>Piano</part-name></score-part></part-list>
<part id="P1"><measure number="1"><note><rest/><duration>4</duration></note></measure></part></score-partwise>
"""


def make_recipe(modality: str = "image", prompt: str = "a red fox", *, index: int = 0, **changes: Any) -> Recipe:
    values = {"prompt": prompt, "seed": 7, "count": 4, **changes.pop("params", {})}
    inputs = changes.pop("inputs", {})
    model = changes.pop("model", "sticker")
    request = Request(model=model, modality=Modality(modality), params=values, inputs=inputs)
    return Recipe(request=request, index=index, **changes)


def make_midi() -> bytes:
    track = b"\x00\xff\x51\x03\x07\xa1\x20" + b"\x00\x90\x3c\x50" + b"\x60\x80\x3c\x00" + b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", len(track)) + track


class Staging:
    """Files as a family would leave them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def image(self, name: str = "a.png", shift: int = 0, size: tuple[int, int] = (96, 64)) -> Path:
        path = self.folder / name
        y, x = np.mgrid[: size[1], : size[0]]
        pixels = np.stack([x * 2, y * 2, x + y, np.where(x > 10, 255, 0)], axis=-1) + shift
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8), "RGBA").save(path)
        return path

    def audio(self, name: str = "a.wav", loud: float = 0.5, frames: int = 8000) -> Path:
        path = self.folder / name
        samples = (np.sin(np.arange(frames) / 9) * loud * 32767).astype(np.int16)
        soundfile.write(path, np.stack([samples, -samples], axis=1), 16000)
        return path

    def text(self, name: str = "a.txt", words: str = "The sea is wide,\nthe boat is small.") -> Path:
        path = self.folder / name
        path.write_bytes(words.encode())
        return path

    def midi(self) -> Path:
        path = self.folder / "a.mid"
        path.write_bytes(make_midi())
        return path

    def musicxml(self) -> Path:
        path = self.folder / "a.musicxml"
        path.write_bytes(MUSICXML)
        return path


def files_below(folder: Path) -> list[str]:
    """Every file there is, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
