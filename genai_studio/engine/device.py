"""Which devices there are, without importing torch where a look at the machine is enough."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from genai_studio.errors import InvalidInput
from genai_studio.settings import Settings


def devices(settings: Settings) -> list[str]:
    """One name a worker: the setting, split at commas ("cuda:0,cuda:1")."""
    names = [name.strip() for name in settings.device.split(",") if name.strip()]
    return list(dict.fromkeys(names)) or ["auto"]


def pick_device(name: str) -> str:
    """ "auto" as what it is on this machine; the rest checked. Called where models run, never in the page's process.

    Raises InvalidInput for a device that is not there.
    """
    if name == "auto":
        if not _may_have_gpu():
            return "cpu"
        kinds = ("cuda:0", "mps")
        return next((kind for kind in kinds if _is_there(kind)), "cpu")
    if name == "cpu":
        return name
    kind, _, number = name.partition(":")
    if kind not in {"cuda", "mps"} or (number and not number.isdigit()):
        raise InvalidInput(f"The device {name[:40]!r} is not known.", "Use auto, cpu, cuda, cuda:1 or mps.")
    full = f"cuda:{number or 0}" if kind == "cuda" else kind
    if not _is_there(full):
        raise InvalidInput(f"There is no device {name!r} on this machine.", "Set the device to auto or cpu.")
    return full


def _may_have_gpu() -> bool:
    return Path("/dev/nvidiactl").exists() or sys.platform == "win32" or platform.processor() == "arm"


def _is_there(device: str) -> bool:
    try:
        import torch
    except ImportError:
        return False
    if device == "mps":
        return bool(torch.backends.mps.is_available())
    return bool(torch.cuda.is_available()) and int(device.partition(":")[2]) < torch.cuda.device_count()
