"""MusicXML: the recipe is a miscellaneous field of the identification, the place the format gives to programs.

Source: MusicXML 4.0, elements identification and miscellaneous-field.
"""

from __future__ import annotations

import io
import json
import re
from typing import BinaryIO
from xml.etree import ElementTree

from genai_studio.domain.recipe import RECIPE_KEY

MAX_XML = 10_000_000
"""Bytes. The score of an hour of music has fewer."""
_BEFORE = ("work", "movement-number", "movement-title")
"""Elements of a score that stand before its identification."""


def begins(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<?xml", b"<score", b"<!DOCTYPE score"))


def find(file: BinaryIO, limit: int) -> str | None:
    """Reads no further than the identification. Entities are refused: a few lines of them can unpack to gigabytes."""
    data = file.read(MAX_XML + 1)
    if len(data) > MAX_XML or b"<!ENTITY" in data:
        return None
    try:
        for _, element in ElementTree.iterparse(io.BytesIO(data)):
            if element.tag == "miscellaneous-field" and element.get("name") == RECIPE_KEY:
                value = element.text or ""
                return value if len(value) <= limit else None
            if element.tag in ("identification", "part-list", "part"):
                return None
    except (ElementTree.ParseError, LookupError):
        return None
    return None


def insert(data: bytes, recipe: str) -> bytes:
    """Raises ValueError for what is not a score."""
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError(f"the MusicXML file cannot be read: {error}") from error
    if root.tag not in ("score-partwise", "score-timewise"):
        raise ValueError("the XML file is not a MusicXML score")
    identification = root.find("identification")
    if identification is None:
        identification = ElementTree.Element("identification")
        root.insert(sum(child.tag in _BEFORE for child in root), identification)
    fields = identification.find("miscellaneous")
    if fields is None:
        fields = ElementTree.SubElement(identification, "miscellaneous")
    for field in fields.findall("miscellaneous-field"):
        if field.get("name") == RECIPE_KEY:
            fields.remove(field)
    # Written in ASCII: XML has no way to hold some characters that a prompt may have.
    ascii_only = json.dumps(json.loads(recipe), sort_keys=True, separators=(",", ":"))
    ElementTree.SubElement(fields, "miscellaneous-field", name=RECIPE_KEY).text = ascii_only
    doctype = re.search(rb"<!DOCTYPE[^>\[]*>", data[:2000])
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n' + (doctype.group() + b"\n" if doctype else b"")
    return head + ElementTree.tostring(root, encoding="unicode").encode() + b"\n"
