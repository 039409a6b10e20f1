"""GenAI Studio: images, text and music on your own machine, over one queue and one gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_studio.studio import Studio as Studio

__version__ = "0.1.0"
__all__ = ["Studio", "__version__"]


def __getattr__(name: str) -> Any:
    """`from genai_studio import Studio` works, and asking for the version imports nothing."""
    if name == "Studio":
        from genai_studio.studio import Studio

        return Studio
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
