"""From SVG to paper and pixels by typst: pages of A4 as vector PDF, and pictures. Works in memory, with typst's own
fonts; where a title needs letters that they lack, with the machine's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_PAGES = """
#set document(title: sys.inputs.title, date: none)
#let pages = int(sys.inputs.pages)
#set page(paper: "a4", margin: (x: 15mm, top: 15mm, bottom: 20mm), footer: context {
  set align(center)
  set text(size: 9pt)
  if pages > 1 [#sys.inputs.title · #counter(page).display() / #pages]
})
#for number in range(pages) {
  if number > 0 { pagebreak() }
  image(str(number) + ".svg", width: 100%, alt: sys.inputs.title)
}
"""
_PICTURE = """
#set page(width: float(sys.inputs.width) * 1pt, height: float(sys.inputs.height) * 1pt, margin: 0pt, fill: white)
#image("0.svg", width: 100%)
"""
_FONTS = "Libertinus Serif, Times, serif"


def pdf_of(pages: Sequence[str], title: str) -> bytes:
    """The SVG pages one after the other on A4 with margins of 15 mm; numbered where there are several. The same pages
    give the same bytes."""
    return _typeset(_PAGES, pages, "pdf", {"title": title, "pages": str(len(pages))})


def png_of(svg: str, width: float, height: float, pixels: int) -> bytes:
    """A picture `pixels` wide of an SVG whose viewBox is `width` to `height`, on white."""
    return _typeset(_PICTURE, [svg], "png", {"width": f"{width}", "height": f"{height}"}, ppi=72 * pixels / width)


def _typeset(source: str, pages: Sequence[str], file_format: str, inputs: dict[str, str], **options: Any) -> bytes:
    import typst

    files = {"main": source.encode()}
    for number, page in enumerate(pages):
        files[f"{number}.svg"] = re.sub(r'font-family="[^"]*"', f'font-family="{_FONTS}"', page).encode()
    compiled: Any = typst.compile  # its annotations leave out that it takes a dictionary of files
    return bytes(compiled(files, format=file_format, sys_inputs=inputs, **options))
