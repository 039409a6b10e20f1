"""The page as a process: how soon it answers beside a bare Gradio page, how much memory it takes, whether it grows."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

import genai_studio
from genai_studio.bench.figure import Figure, middle
from genai_studio.remote import RemoteStudio, running
from genai_studio.settings import PREFIX, Settings

APP = Path(genai_studio.__file__).resolve().parents[1] / "app.py"
BARE = """
import sys, gradio as gr
with gr.Blocks(analytics_enabled=False) as page:
    gr.Markdown("Hello")
page.launch(server_port=int(sys.argv[1]), quiet=True)
"""
RUNS = 5
WAIT = 120.0
WARM_JOBS, COUNTED_JOBS = 40, 200


def page(settings: Settings) -> Iterator[Figure]:
    """Time until HTTP 200, interleaved with the bare page's; then memory at rest; then a reload during a job."""
    ours, bare = [], []
    for _ in range(RUNS):
        port = _free_port()
        with _process([sys.executable, "-c", BARE, str(port)], settings) as _:
            bare.append(_until_200(port))
        port = _free_port()
        with _process(_command(settings, port), settings):
            ours.append(_until_200(port))
    yield Figure(
        "page answers HTTP 200", middle(ours), "s", middle(bare), "bare gr.Blocks", "ratio", 1.4, note=f"{RUNS} runs"
    )
    port = _free_port()
    with _process(_command(settings, port), settings) as process:
        _until_200(port)
        time.sleep(5)
        memory = psutil.Process(process.pid).memory_info().rss / 1e6
        yield Figure("idle page process", memory, "MB RSS", judged="value", limit=300)
        remote = _remote(settings)
        job = remote.submit(remote.request("demo-image", {"prompt": "sea", "step_seconds": 0.5, "count": 4}))
        time.sleep(2)
        started = time.perf_counter()
        _client(port).get("/").raise_for_status()
        next(iter(remote.watch(job.id)))
        seconds = time.perf_counter() - started
        yield Figure("reload: front page and state of the running job", seconds, "s", judged="value", limit=1.0)
        remote.cancel(job.id)
        remote.close()


def growth(settings: Settings) -> Iterator[Figure]:
    """Memory of the page process over many demo jobs of all modalities."""
    port = _free_port()
    with _process([*_command(settings, port), "--demo"], settings) as process:
        _until_200(port)
        remote = _remote(settings)
        _run_jobs(remote, WARM_JOBS)
        before = psutil.Process(process.pid).memory_info().rss / 1e6
        _run_jobs(remote, COUNTED_JOBS)
        after = psutil.Process(process.pid).memory_info().rss / 1e6
        remote.close()
    yield Figure(f"page process after {COUNTED_JOBS} more jobs", after, "MB RSS", before, "before them", "ratio", 1.02)


def _run_jobs(remote: RemoteStudio, count: int) -> None:
    for number in range(count):
        model = ("demo-image", "demo-text", "demo-music")[number % 3]
        job = remote.submit(remote.request(model, {"prompt": f"job {number}", "seed": number}))
        for _ in remote.watch(job.id):
            pass


def _command(settings: Settings, port: int) -> list[str]:
    return [sys.executable, str(APP), "--home", str(settings.home), "--port", str(port), "--no-demo"]


@contextmanager
def _process(command: Sequence[str], settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment["GRADIO_ANALYTICS_ENABLED"] = "False"
    process = subprocess.Popen(
        command, env=environment, cwd=settings.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _until_200(port: int) -> float:
    """Seconds from now, which is just after the start of the process."""
    started = time.perf_counter()
    with _client(port) as client:
        while time.perf_counter() - started < WAIT:
            try:
                if client.get("/").status_code == 200:
                    return time.perf_counter() - started
            except httpx.TransportError:
                time.sleep(0.01)
    raise TimeoutError(f"nothing answered at port {port}")


def _client(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30)


def _remote(settings: Settings) -> RemoteStudio:
    while (remote := running(settings)) is None:
        time.sleep(0.05)
    return remote


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
