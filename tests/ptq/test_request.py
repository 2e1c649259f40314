"""Names, options and orders of the list ``ptq``: each refusal has a cure that works."""

import re

import pytest
import yaml

from qat.base.errors import InputError
from qat.ptq.request import requested_steps, split_steps


def cure(message):
    """The list that a message says to write."""
    text = re.search(r"ptq=(\[.*\])'?$", message)[1]
    return yaml.safe_load(re.sub(r":(?=\S)", ": ", text))


@pytest.mark.parametrize(
    ("entries", "words", "cured"),
    [
        (["equalize"], "equalize without fold", ["fold", "equalize"]),
        (["equalize", "fold"], "fold after equalize", ["fold", "equalize"]),
        (["nearest", "equalize"], "equalize after nearest", ["fold", "equalize", "nearest"]),
        (["nearest", "fold"], "fold after nearest", ["fold", "nearest"]),
        (["fold", "bn_reestimate"], "bn_reestimate after fold", ["fold"]),
        (["fold", "fold"], "fold twice", ["fold"]),
        (["bias_correction", "nearest"], "nearest after bias_correction",
         ["nearest", "bias_correction"]),
        (["bias_correction", "bn_reestimate"], "the second overwrites the first",
         ["bias_correction"]),
        ([{"bias_correction": {"kind": "analytic"}}], "bias_correction without fold",
         ["fold", {"bias_correction": {"kind": "analytic"}}]),
        (["fold", "nearest", {"equalize": {"absorb": True}}], "equalize after nearest",
         ["fold", {"equalize": {"absorb": True}}, "nearest"]),
    ],
)  # fmt: skip
def test_a_wrong_order_is_refused_with_the_right_one(entries, words, cured):
    with pytest.raises(InputError, match=words) as caught:
        requested_steps(entries)
    assert "\n" not in str(caught.value)
    assert cure(str(caught.value)) == cured
    requested_steps(cured)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["fald"], r"ptq\[0\] must be one of fold, .*; did you mean 'fold'"),
        ([3], r"ptq\[0\] must be one of"),
        ([{"fold": {}, "equalize": {}}], r"ptq\[0\] must be a name or a mapping with one key"),
        (["fold", {"equalize": 3}], r"ptq\[1\]\.equalize must be a mapping of options, got 3"),
        (["fold", {"equalize": {"iteration": 3}}], "did you mean 'iterations'"),
        (["fold", {"equalize": {"iterations": 0}}], r"equalize\.iterations must be an integer, 1"),
        (["fold", {"equalize": {"relu6": "off"}}], r"relu6 must be one of clip, relu, got 'off'"),
        ([{"fold": {"x": 1}}], "fold takes no options, got x"),
    ],
)
def test_a_wrong_name_or_option_is_refused(entries, words):
    with pytest.raises(InputError, match=words):
        requested_steps(entries)


def test_a_preset_fills_in_what_the_list_leaves_out():
    entries = ["fold", {"equalize": {"iterations": 7}}, "bias_correction"]
    quick, paper = (requested_steps(entries, preset) for preset in ("quick", "paper"))
    assert [step.name for step in quick] == ["fold", "equalize", "bias_correction"]
    assert quick[1].options == {"iterations": 7, "absorb": False, "relu6": "clip"}
    assert paper[1].options == {"iterations": 7, "absorb": True, "relu6": "clip"}
    assert quick[1].to_plain() == {"name": "equalize", **quick[1].options}
    with pytest.raises(InputError, match=r"ptq_options\.preset must be one of quick, paper"):
        requested_steps(entries, "best")


def test_steps_are_split_by_the_network_that_they_change():
    first, second = split_steps(requested_steps(["fold", "equalize", "nearest"]))
    assert [step.name for step in first] == ["fold", "equalize"]
    assert [step.name for step in second] == ["nearest"]
    assert requested_steps([]) == ()
