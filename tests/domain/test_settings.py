"""Settings: read once, checked in one sentence."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from genai_studio.errors import InvalidInput
from genai_studio.settings import PREFIX, Settings, parse_bytes


def test_the_environment_then_overrides(tmp_path):
    environment = {
        PREFIX + "HOME": str(tmp_path),
        PREFIX + "PORT": "8000",
        PREFIX + "DEMO": "yes",
        PREFIX + "HOST": "::1",
    }
    settings = Settings.read(environment, port=9000, host=None)
    assert (settings.home, settings.port, settings.demo, settings.host) == (tmp_path, 9000, True, "::1")
    assert settings.models == tmp_path / "models"
    assert settings.database_url == f"sqlite:///{tmp_path / 'studio.db'}"


def test_paths_are_absolute_and_know_the_home_folder():
    settings = Settings.read({PREFIX + "HOME": "~/studio", PREFIX + "MODELS": "some/models"})
    assert settings.home == Path("~/studio").expanduser()
    assert settings.models == Path("some/models").absolute()
    assert {settings.outputs.parent, settings.staging.parent, settings.cache.parent} == {settings.home}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"), ("PORT", "-1"), ("PORT", "65536"), ("PORT", "1e3"), ("THREADS", "2000"), ("DEMO", "maybe"),
        ("MEMORY", "lots"), ("MEMORY", "4 GiBs"), ("MEMORY", "infGB"), ("MEMORY", "nan"),
        ("AUTH", "name"), ("AUTH", "name:"), ("AUTH", ":word"), ("AUTH", "a:b,c"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_sentence(tmp_path, name, value):
    with pytest.raises(InvalidInput) as caught:
        Settings.read({PREFIX + "HOME": str(tmp_path), PREFIX + name: value})
    assert "\n" not in caught.value.sentence


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", 0), ("17", 17), ("4GB", 4 * 10**9), ("4 gb", 4 * 10**9), ("1.5MB", 1_500_000), ("800 MB", 8 * 10**8)],
)
def test_amounts_of_memory(text, amount):
    assert parse_bytes(text) == amount


def test_logins_and_threads(tmp_path):
    settings = Settings.read({}, home=tmp_path, auth="ann:a:b,bob:c", threads=3)
    assert settings.logins == {"ann": "a:b", "bob": "c"}
    assert settings.worker_threads == 3
    assert Settings.read({}, home=tmp_path).worker_threads >= 1


def test_every_setting_has_help():
    flags = [field for field in fields(Settings) if "help" in field.metadata]
    assert len(flags) >= 10
    assert all(field.metadata["help"].endswith(".") for field in flags)
