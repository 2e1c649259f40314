"""Options of post-training steps that are written like keys: the hint works when it is typed."""

import re

import pytest

from qat.config.checks.ptq import ptq_steps
from qat.config.words.ptq_words import ptq_hint
from tests.command_line import SMALL
from tests.conf.test_configs import composed


@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("ptq_options.iterations", "adaround"),
        ("ptq.brecq.iterations", "brecq"),
        ("gptq.damping", "gptq"),
        ("ptq_options.kind", "bias_correction"),
    ],
)
def test_the_list_in_the_hint_composes(home, key, step):
    value = "analytic" if key.endswith("kind") else "0.5" if key.endswith("damping") else "20"
    listed = re.search(r"ptq='([^']*)'", ptq_hint(key, value))[1]
    request = ptq_steps(composed(*SMALL, f"ptq={listed}").config)[-1]
    assert request.name == step
    assert str(request.options[key.rpartition(".")[2]]) == value


def test_the_line_of_the_command(qat, home):
    code, _, err = qat("run", *SMALL, "ptq_options.iterations=100")
    assert code == 2
    assert "no key 'ptq_options.iterations'; options stand in the list of steps" in err
    assert "adaround, brecq, qdrop" in err


@pytest.mark.parametrize("key", ["iterations", "optimizer.iterations", "ptq_options.nothing"])
def test_other_keys_have_no_hint(key):
    assert ptq_hint(key, "3") == ""
