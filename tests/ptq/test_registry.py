"""The list of steps: what it says, and what its options allow."""

import subprocess
import sys

import pytest

from qat.ptq.registry import FLOAT, PTQ_METHODS, QUANTIZED, STAGES, PtqOption
from qat.ptq.step import FloatStep, QuantizedStep


@pytest.mark.parametrize("name", PTQ_METHODS)
def test_every_step_is_there_and_takes_its_options(name):
    method = PTQ_METHODS[name]
    base = {FLOAT: FloatStep, QUANTIZED: QuantizedStep}[method.kind]
    for preset in ("quick", "paper"):
        options = {key: option.value(preset) for key, option in method.options.items()}
        assert all(method.options[key].allows(value) for key, value in options.items())
        step = method.load()(**options)
        assert isinstance(step, base)
        assert step.options == options
    assert method.stage in STAGES


def test_float_steps_come_before_quantized_ones():
    stages = list(STAGES)
    last = max(stages.index(m.stage) for m in PTQ_METHODS.values() if m.kind == FLOAT)
    first = min(stages.index(m.stage) for m in PTQ_METHODS.values() if m.kind == QUANTIZED)
    assert last < first


@pytest.mark.parametrize(
    ("option", "right", "wrong", "words"),
    [
        (PtqOption(10, low=1, high=20), [1, 20], [0, 21, 1.0, True, "3"], "an integer, 1 to 20"),
        (PtqOption(0.5, low=0), [0, 1, 0.25], [-1, "1", False], "a number, 0 or more"),
        (PtqOption(False), [True, False], [0, "true"], "true or false"),
        (PtqOption("a", choices=("a", "b")), ["b"], ["c", 1], "one of a, b"),
    ],
)
def test_options_allow_their_own_type_and_range(option, right, wrong, words):
    assert all(option.allows(value) for value in right)
    assert not any(option.allows(value) for value in wrong)
    assert option.words() == words


def test_the_list_loads_no_torch():
    code = "import sys, qat.ptq.registry, qat.ptq.request; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
