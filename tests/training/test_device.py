"""One meaning of trainer.accelerator, on machines of every kind."""

import os

import pytest
import torch

from qat.training.device import check_devices, compute_in_float32, resolve_device


@pytest.fixture
def machine(monkeypatch):
    def has(*, cuda=False, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return has


@pytest.mark.parametrize(
    ("cuda", "mps", "accelerator", "device"),
    [
        pytest.param(False, False, "auto", "cpu", id="plain"),
        pytest.param(True, False, "auto", "cuda:0", id="nvidia"),
        pytest.param(False, True, "auto", "cpu", id="mac: auto is the same device everywhere"),
        pytest.param(False, True, "gpu", "mps", id="mac, asked"),
        pytest.param(False, True, "mps", "mps", id="mac, by name"),
        pytest.param(True, False, "gpu", "cuda:0", id="nvidia, asked"),
        pytest.param(True, False, "cpu", "cpu", id="cpu, asked"),
    ],
)
def test_the_device_of_a_name(machine, cuda, mps, accelerator, device):
    machine(cuda=cuda, mps=mps)
    assert resolve_device(accelerator) == torch.device(device)


@pytest.mark.parametrize("accelerator", ["gpu", "cuda", "mps"])
def test_what_is_not_there_is_refused(machine, accelerator):
    machine()
    with pytest.raises(ValueError, match=f"accelerator={accelerator}.*use auto or cpu"):
        resolve_device(accelerator)


def test_the_command_line_and_the_training_ask_the_same_function():
    from qat.run import prepare
    from qat.training import fit

    assert prepare.resolve_device is fit.resolve_device is resolve_device


def test_more_devices_than_there_are_are_refused(monkeypatch):
    check_devices(64, torch.device("cpu"))  # processes, as many as you like
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    check_devices(2, torch.device("cuda", 0))
    for device, available in (("cuda", 2), ("mps", 1)):
        with pytest.raises(
            ValueError, match=f"devices=3, but there are {available} of type {device}"
        ):
            check_devices(3, torch.device(device))


@pytest.fixture
def tf32():
    """Both switches are on, and as before after the test."""
    switches = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [switch.allow_tf32 for switch in switches]
    for switch in switches:
        switch.allow_tf32 = True
    yield
    for switch, value in zip(switches, before, strict=True):
        switch.allow_tf32 = value


def test_float32_on_a_gpu_is_float32(tf32, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    compute_in_float32(torch.device("cpu"))
    assert torch.backends.cudnn.allow_tf32
    compute_in_float32(torch.device("cuda", 0))
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
