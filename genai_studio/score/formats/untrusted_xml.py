"""XML that anyone may have written, plain or in an archive. Entities are refused, so nothing is fetched and nothing
multiplies; depth and number of elements are bounded, and an archive is read no further than a score may be large."""

from __future__ import annotations

import io
import zipfile
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from genai_studio.errors import InvalidInput

MAX_BYTES = 10_000_000
_MAX_DEPTH, _MAX_ELEMENTS = 100, 500_000


def parse(content: bytes) -> Element:
    """The document's tree. Raises InvalidInput for what is not XML, has entities of its own or is absurdly deep."""
    builder = TreeBuilder()
    depth = count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _MAX_DEPTH:
            raise InvalidInput("This is not a MusicXML score: its elements lie too deep.")
        if count > _MAX_ELEMENTS:
            raise InvalidInput(f"This MusicXML has more than {_MAX_ELEMENTS:,} elements, which is the most allowed.")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def entity(*_: object) -> None:
        raise InvalidInput("This MusicXML declares entities, which are not read for safety.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = entity
    parser.ExternalEntityRefHandler = lambda *_: 0
    try:
        parser.Parse(content, True)
        return builder.close()
    except expat.ExpatError as error:
        raise InvalidInput(f"This is not a MusicXML score: {expat.ErrorString(error.code)}.") from None
    except (LookupError, ValueError, AssertionError):
        raise InvalidInput("This is not a MusicXML score.") from None


def unpacked(content: bytes) -> bytes:
    """The score inside compressed MusicXML. Raises InvalidInput where it is missing or larger than it may be."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()[:1000]
            wanted = ""
            if "META-INF/container.xml" in names:
                with archive.open("META-INF/container.xml") as file:
                    container = parse(file.read(100_000))
                wanted = next((entry.get("full-path", "") for entry in container.iter("rootfile")), "")
            if wanted not in names:
                scores = (name for name in names if name.endswith((".xml", ".musicxml")) and "META-INF" not in name)
                wanted = next(scores, "")
            if not wanted:
                raise InvalidInput("There is no score in this archive.")
            with archive.open(wanted) as file:
                score = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise InvalidInput("This archive is broken or cannot be read.") from error
    if len(score) > MAX_BYTES:
        raise InvalidInput(f"The score in this archive is larger than {MAX_BYTES // 1_000_000} MB, the most allowed.")
    return score
