"""Settings: paths, device and limits, read once from the environment. Every name is listed in the README and has a
flag of the same name on the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from genai_studio.errors import InvalidInput

PREFIX = "GENAI_STUDIO_"


@dataclass(frozen=True)
class Settings:
    """`Settings.read()` is the only reader of the environment. Folders are made by their owners, not here."""

    home: Path = field(metadata={"help": "Database, outputs and caches."})
    models: Path = field(metadata={"help": "Your own weights: GGUF files, soundfonts, fine-tuned stickers."})
    database: str = field(default="", metadata={"help": "SQLAlchemy URL; empty: SQLite in the home folder."})
    host: str = field(default="127.0.0.1", metadata={"help": "Address to listen on."})
    port: int = field(default=7860, metadata={"help": "Port to listen on; the next free one when it is taken."})
    auth: str = field(default="", metadata={"help": "Logins as name:password, separated by commas."})
    allowed_hosts: str = field(
        default="",
        metadata={"help": "Host names the page answers to besides localhost, separated by commas."},
    )
    device: str = field(default="auto", metadata={"help": "auto, cpu, cuda, cuda:1 or mps."})
    memory: str = field(default="", metadata={"help": "Budget for loaded models, such as 4GB; empty: half of it."})
    threads: int = field(default=0, metadata={"help": "Threads of a worker; 0: all cores but one, at least one."})
    language: str = field(default="", metadata={"help": "en or zh-CN; empty: what the browser asks for."})
    demo: bool = field(default=False, metadata={"help": "Instant stand-in models; no weights needed."})
    space: str = field(default="", metadata={"hidden": True})
    """Name of the Hugging Face Space this runs in (SPACE_ID, which the Space sets); empty elsewhere."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """From `GENAI_STUDIO_*`, then `overrides` that are not None. Raises InvalidInput in one sentence."""
        source = os.environ if environment is None else environment
        home = Path(overrides.get("home") or source.get(PREFIX + "HOME") or user_data_path("genai-studio"))
        home = home.expanduser().absolute()
        settings = cls(home=home, models=home / "models")
        values: dict[str, Any] = {}
        if source.get("SPACE_ID"):
            values.update(space=source["SPACE_ID"], host="0.0.0.0")
        for name, declared in cls.__dataclass_fields__.items():
            text = source.get(PREFIX + name.upper(), "")
            if text and name != "home" and "help" in declared.metadata:
                values[name] = settings._parse(name, text)
        values.update({name: value for name, value in overrides.items() if value is not None and name != "home"})
        if "models" in values:
            values["models"] = Path(values["models"]).expanduser().absolute()
        settings = replace(settings, **values)
        settings._check()
        return settings

    def _parse(self, name: str, text: str) -> Any:
        default = getattr(self, name)
        if isinstance(default, bool):
            if text.lower() not in {"0", "1", "true", "false", "yes", "no"}:
                raise InvalidInput(f"{PREFIX}{name.upper()} is {text!r}; allowed is 0 or 1.")
            return text.lower() in {"1", "true", "yes"}
        if isinstance(default, int):
            if not text.isdigit():
                raise InvalidInput(f"{PREFIX}{name.upper()} is {text!r}; allowed is a whole number.")
            return int(text)
        return text

    def _check(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InvalidInput(f"The port is {self.port}; allowed is 0 to 65535.")
        if not 0 <= self.threads <= 1024:
            raise InvalidInput(f"Threads is {self.threads}; allowed is 0 to 1024.")
        parse_bytes(self.memory or "0")
        for login in filter(None, self.auth.split(",")):
            name, separator, password = login.partition(":")
            if not (separator and name and password):
                raise InvalidInput("A login is not of the form name:password; separate several with commas.")

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home / 'studio.db'}"

    @property
    def outputs(self) -> Path:
        """Published files of the gallery."""
        return self.home / "outputs"

    @property
    def assets(self) -> Path:
        """Files that people brought along as inputs."""
        return self.home / "assets"

    @property
    def staging(self) -> Path:
        """One folder a running job; on the same filesystem as `outputs`, so that publishing is a rename."""
        return self.home / "staging"

    @property
    def cache(self) -> Path:
        """Model files that were downloaded."""
        return self.home / "cache"

    @property
    def worker_threads(self) -> int:
        return self.threads or max(1, (os.cpu_count() or 2) - 1)

    @property
    def logins(self) -> dict[str, str]:
        return dict(login.split(":", 1) for login in self.auth.split(",") if login)


def parse_bytes(text: str) -> int:
    """ "4GB", "800 MB" or plain bytes to a number of bytes. Raises InvalidInput."""
    units = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
    compact = text.strip().upper().replace(" ", "")
    number = compact.rstrip("KMGTB")
    try:
        return int(float(number) * units[compact[len(number) :]])
    except (ValueError, KeyError, OverflowError):
        raise InvalidInput(f"{text!r} is not an amount of memory; write it like 4GB or 800MB.") from None
