"""`python -m genai_studio`: the command line."""

from __future__ import annotations

from genai_studio.cli import main

if __name__ == "__main__":
    main()
