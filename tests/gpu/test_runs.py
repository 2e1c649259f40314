"""Runs of the command line on a GPU, from the images to the record."""

import json
from pathlib import Path

import pytest

from tests.command_line import TINY

MODES = [(mode, "academic") for mode in ("float", "dynamic", "static", "qat", "mixed")]
MODES += [(mode, "integer") for mode in ("static", "qat", "mixed")]


def record_of(out):
    return json.loads(Path(out.strip().splitlines()[-1].removeprefix("record: ")).read_text())


@pytest.mark.parametrize(("mode", "placement"), MODES)
def test_each_mode(slow_device, qat, mode, placement):
    words = [f"mode={mode}", f"trainer.accelerator={slow_device.type}"]
    words += [f"float.accelerator={slow_device.type}"]
    words += [f"scheme.placement={placement}"] if mode != "float" else []
    code, out, errors = qat("run", *TINY, "model=simple_cnn", *words)
    assert code == 0, errors
    record = record_of(out)
    assert record["status"] == "done"
    assert record["protocol"]["evaluation"]["device"] == slow_device.type
    assert 0 <= record["metrics"]["top1"] <= 1


@pytest.mark.parametrize("words", [["scheme=w4a4", "mode=qat"], ["scheme=w4_group"]])
def test_schemes_with_other_observers(slow_device, qat, words):
    words = [*words, f"trainer.accelerator={slow_device.type}"]
    code, out, errors = qat("run", *TINY, "model=simple_cnn", *words)
    assert code == 0, errors
    assert record_of(out)["status"] == "done"


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_mixed_precision(slow_device, qat, precision):
    if slow_device.type == "cpu" and precision == "16-mixed":
        pytest.skip("torch has no fp16 training on a CPU")
    words = [f"trainer.accelerator={slow_device.type}", f"trainer.precision={precision}"]
    code, out, errors = qat("run", *TINY, "model=simple_cnn", "mode=qat", *words)
    assert code == 0, errors
    assert record_of(out)["protocol"]["training"]["precision"] == precision


@pytest.mark.parametrize("words", [["kernel=compiled"], ["trainer.compile=model"]])
def test_compiled(slow_device, qat, words):
    words = [*words, f"trainer.accelerator={slow_device.type}"]
    code, out, errors = qat("run", *TINY, "model=simple_cnn", "mode=qat", *words)
    assert code == 0, errors
    assert record_of(out)["status"] == "done"
