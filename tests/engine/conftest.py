"""Workers of the engine tests: the real one, and one that misbehaves."""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path

import pytest

from genai_studio.engine.executor import ProcessExecutor
from genai_studio.studio import Studio

HERE = Path(__file__).parent


@pytest.fixture
def faulty(monkeypatch):
    """The module of the faulty family, known to this process as genai_studio.models.faulty."""
    spec = util.spec_from_file_location("genai_studio.models.faulty", HERE / "faulty.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, spec.name, module)
    return module


@pytest.fixture
def executor(settings):
    """A worker process with the faulty family and short limits; made by the test's own `with` of a studio."""
    settings.home.mkdir()
    command = (sys.executable, str(HERE / "faulty_worker.py"))
    made = ProcessExecutor(settings, "cpu", command=command, grace=0.5, silence=60.0)
    yield made
    made.close()


@pytest.fixture
def process_studio(settings, executor, faulty):
    """A studio whose jobs run in a real worker process."""
    models = [faulty.spec(), faulty.spec("slow-load")]
    with Studio(settings, executors=[executor], extra_models=models) as running:
        yield running


@pytest.fixture
def inline_studio(settings, faulty):
    """A studio that runs the faulty family in this process."""
    with Studio(settings, inline=True, extra_models=[faulty.spec()]) as running:
        yield running
