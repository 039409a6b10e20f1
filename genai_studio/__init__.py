"""GenAI Studio: images, text and music on your own machine, over one queue and one gallery."""

from __future__ import annotations

__version__ = "0.1.0"
