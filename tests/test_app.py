"""app.py as a person starts it: one line, one owner, a clean end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "app.py", "--demo", "--port", "0", *words]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_one_line_one_owner_and_a_clean_end(tmp_path):
    home = tmp_path / "home"
    first = start("--home", str(home))
    try:
        assert first.stdout is not None
        line = first.stdout.readline()
        address = line.split()[-1]
        assert line == f"GenAI Studio is at {address}\n"
        assert urllib.request.urlopen(address, timeout=60).status == 200

        upload = home / "uploads" / "of-the-first"
        upload.mkdir(parents=True)
        second = start("--home", str(home))
        out, err = second.communicate(timeout=120)
        assert (second.returncode, out) == (1, "")
        assert address in err
        assert len(err.splitlines()) == 1
        assert upload.exists()

        command = [sys.executable, "-m", "genai_studio", "generate", "text", "sea", "--seed", "7", "--json", "--demo"]
        made = subprocess.run([*command, "--home", str(home)], cwd=ROOT, capture_output=True, text=True, timeout=120)
        [record] = json.loads(made.stdout)
        assert Path(record["path"]).is_file()
        with urllib.request.urlopen(f"{address}/media/{record['id']}", timeout=60) as answer:
            assert answer.read() == Path(record["path"]).read_bytes()
    finally:
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=60)
    assert (first.returncode, out, err) == (0, "", "")
    assert not (home / "studio.json").exists()
    assert "Traceback" not in (home / "studio.log").read_text()


def test_a_terminated_studio_lets_go_of_its_folder(tmp_path):
    home = tmp_path / "home"
    studio = start("--home", str(home))
    assert studio.stdout is not None
    assert studio.stdout.readline()
    studio.terminate()
    studio.communicate(timeout=60)
    assert studio.returncode == 0
    assert not (home / "studio.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "0.0.0.0"), "without a login"),
        (("--port", "70000"), "The port is 70000; allowed is 0 to 65535."),
        (("--memory", "lots"), "'LOTS' is not an amount of memory"),
        (("--auth", "ann"), "name:password"),
    ],
)
def test_wrong_settings_are_one_sentence(tmp_path, words, said):
    studio = start("--home", str(tmp_path / "home"), *words)
    out, err = studio.communicate(timeout=60)
    assert (studio.returncode, out) == (1, "")
    assert said.lower() in err.lower()
    assert len(err.splitlines()) == 1
