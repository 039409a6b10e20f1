from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from genai_studio.engine import device
from genai_studio.errors import InvalidInput
from genai_studio.settings import Settings


@pytest.fixture
def two_gpus(monkeypatch):
    cuda = SimpleNamespace(is_available=lambda: True, device_count=lambda: 2)
    mps = SimpleNamespace(is_available=lambda: False)
    torch = SimpleNamespace(cuda=cuda, backends=SimpleNamespace(mps=mps))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(device, "_may_have_gpu", lambda: True)


def test_one_worker_for_each_named_device(tmp_path):
    assert device.devices(Settings.read({}, home=tmp_path)) == ["auto"]
    assert device.devices(Settings.read({}, home=tmp_path, device="cuda:0, cuda:1,cuda:0")) == ["cuda:0", "cuda:1"]
    assert device.devices(Settings.read({}, home=tmp_path, device=" , ")) == ["auto"]


def test_auto_takes_the_gpu_there_is(two_gpus):
    assert device.pick_device("auto") == "cuda:0"
    assert device.pick_device("cuda") == "cuda:0"
    assert device.pick_device("cuda:1") == "cuda:1"
    assert device.pick_device("cpu") == "cpu"


def test_without_a_sign_of_a_gpu_torch_is_not_even_imported(monkeypatch):
    monkeypatch.setattr(device, "_may_have_gpu", lambda: False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert device.pick_device("auto") == "cpu"


@pytest.mark.parametrize("name", ["cuda:2", "mps", "tpu", "cuda:x", "cuda:-1", "", "cuda:0:1"])
def test_a_device_that_is_not_there_is_one_sentence(two_gpus, name):
    with pytest.raises(InvalidInput):
        device.pick_device(name)
