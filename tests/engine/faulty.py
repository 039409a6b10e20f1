"""A family that misbehaves on demand: the prompt says how. Only tests know it; `faulty_worker.py` is a worker that
has it, and the `faulty` fixture makes the page's side know its params."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from genai_studio.domain.image import ImageParams
from genai_studio.domain.modality import MediaKind, Modality
from genai_studio.errors import Cancelled
from genai_studio.models.base import Draft, ModelSpec

NAME = "genai_studio.models.faulty"


def spec(name: str = "faulty", memory: int = 1000) -> ModelSpec:
    return ModelSpec(
        id=name,
        family="faulty",
        modality=Modality.IMAGE,
        task="text-to-image",
        title=name.capitalize(),
        summary="",
        licence="none",
        commercial=False,
        sources=(),
        memory=memory,
    )


class Faulty:
    """Counts its instances, so that a test can see what was loaded and freed."""

    alive = 0
    memory_errors = 0
    """How many of the next runs run out of memory."""

    def __init__(self, size):
        self.size = size
        Faulty.alive += 1

    def generate(self, params, ctx):
        what, _, argument = params.prompt.partition(" ")
        ctx.progress(0, params.count)
        if what in {"memory", "tokens"} and Faulty.memory_errors:
            Faulty.memory_errors -= 1
            if what == "tokens":
                ctx.token("cannot be taken back")
            raise MemoryError
        for index in range(params.count):
            self.one(what, argument, index, ctx)

    def one(self, what, argument, index, ctx):
        path = ctx.stage(".png")
        picture(ctx.seed + index).save(path)
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "exit":
            os._exit(3)
        if what == "hang":
            time.sleep(1000)
        if what == "deaf":
            while True:
                with contextlib.suppress(Cancelled):
                    ctx.progress(1, 2)
                time.sleep(0.01)
        if what == "print":
            sys.stdout.write("{not a message}\n")
            sys.stdout.flush()
            os.write(1, b"nor this\n")
        if what == "error":
            raise ZeroDivisionError("a traceback that nobody must see")
        if what == "full" and index:
            raise OSError(28, "No space left on device")
        if what == "few" and index:
            return
        if what == "absent":
            path.unlink()
        if what == "steps":
            for step in range(int(argument)):
                ctx.progress(step, int(argument), index=index)
                time.sleep(0.01)
        if what == "text":
            path.write_text("not a picture")
        ctx.output(Draft(MediaKind.IMAGE, path))

    def memory(self):
        return self.size

    def environment(self):
        return {"faulty": "yes"}

    def close(self):
        Faulty.alive -= 1


class FaultyFamily:
    params = ImageParams

    def load(self, spec, files, *, device, threads):
        if spec.id == "never-fits" or (spec.id == "fits-alone" and Faulty.alive):
            raise MemoryError
        if spec.id == "slow-load":
            Path(os.environ["LOADING"]).touch()
            time.sleep(1000)
        return Faulty(spec.memory)


def picture(seed):
    from PIL import Image

    return Image.new("RGBA", (32, 32), (seed % 256, 40, 200, 255))


FAMILY = FaultyFamily()
