"""Which steps a run may have, and those that decide its name."""

import re

import pytest

from qat.config.checks.combinations import check_config
from qat.config.checks.ptq import check_ptq, ptq_settings
from qat.config.checks.unread import unread
from qat.config.compose import compose_points
from qat.config.schema import RuleConfig


def config(*words):
    return compose_points([*words], False)[0].config


def raw(**changes):
    """A configuration whose composition does not check the steps."""
    made = config()
    for key, value in changes.items():
        *groups, name = key.split("__")
        node = made
        for group in groups:
            node = getattr(node, group)
        setattr(node, name, value)
    return made


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ptq": ["fold"], "mode": "float"}, "mode=float quantizes nothing: use mode=static, qat"),
        ({"ptq": ["fold"], "mode": "dynamic"}, "mode=dynamic calibrates nothing"),
        ({"ptq": ["adarond"]}, "ptq[0] must be one of fold"),
        ({"ptq": ["nearest", "fold"]}, "fold after nearest"),
        (
            {"ptq": ["bn_reestimate"], "scheme__placement": "integer"},
            "scheme.placement=integer folds every batch norm: use scheme.placement=academic",
        ),
        ({"ptq": ["nearest"], "scheme__weight__bits": 32}, "the weights are 32 bits"),
        (
            {"ptq": ["nearest"], "scheme__weight__format": "fp16"},
            "the weights are fp16: set scheme.weight.bits to 2 to 8 and scheme.weight.format=int",
        ),
        (
            {"ptq": ["nearest"], "scheme__weight__format": "fp8_e4m3"},
            "but scheme.weight.format=fp8_e4m3: set scheme.weight.format=int",
        ),
        (
            {"ptq": ["qwt"], "scheme__weight__format": "mxint8"},
            "ptq has qwt, which fits the scales",
        ),
        ({"ptq": ["fold"], "ptq_options__preset": "best"}, "ptq_options.preset must be one of"),
    ],
)
def test_a_run_that_cannot_have_the_steps_is_refused(home, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        check_ptq(raw(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["static", "qat", "mixed"])
def test_modes_with_fixed_ranges_take_steps(home, mode):
    check_ptq(raw(ptq=["fold", {"equalize": {"absorb": True}}, "nearest"], mode=mode))


def test_a_list_is_composed_from_the_command_line(home):
    made = config("ptq=[fold,{equalize:{iterations:3}}]", "ptq_options.images=64")
    assert made.ptq == ["fold", {"equalize": {"iterations": 3}}]
    check_ptq(made)
    with pytest.raises(ValueError, match="ptq must be a list"):
        config("ptq=fold")


def test_only_steps_are_part_of_the_name_with_the_values_of_their_preset(home):
    assert ptq_settings(raw(ptq_options__images=3)) == {}
    quick = ptq_settings(raw(ptq=["fold", "equalize"]))["ptq"]
    assert quick == {
        "steps": [
            {"name": "fold"},
            {"name": "equalize", "iterations": 100, "absorb": False, "relu6": "clip"},
        ],
        "images": 1024,
        "batch_size": 64,
    }
    written = ["fold", {"equalize": {"absorb": True}}]
    same = [raw(ptq=written), raw(ptq=["fold", "equalize"], ptq_options__preset="paper")]
    assert len({str(ptq_settings(each)) for each in same}) == 1


def test_options_without_a_step_are_not_read(home):
    assert "add ptq=[fold,equalize]" in unread("ptq_options.images", raw())
    assert unread("ptq_options.images", raw(ptq=["fold"])) is None


APOT = {"scheme__weight__quantizer": "apot", "scheme__weight__bits": 4}
OTHERS = "nearest or gptq or gpfq or comq or qronos"


@pytest.mark.parametrize("step", ["adaround", "brecq", "qdrop"])
def test_learned_roundings_of_a_codebook_are_refused_before_any_calibration(home, step):
    message = (
        f"ptq has {step}, which learns roundings on uniform grids, but "
        "quantizer@scheme.weight=apot has a codebook: set quantizer@scheme.weight=minmax, or "
        f"replace {step} by {OTHERS}"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        check_ptq(raw(ptq=["fold", step], **APOT))
    words = [f"ptq=[fold,{step}]", "quantizer@scheme.weight=apot", "scheme.weight.bits=4"]
    with pytest.raises(ValueError, match=re.escape(message)):
        check_config(config(*words))


@pytest.mark.parametrize("step", ["nearest", "gptq", "gpfq", "comq", "qronos"])
def test_other_roundings_choose_among_the_levels_of_a_codebook(home, step):
    check_ptq(raw(ptq=["fold", step], **APOT))


@pytest.mark.parametrize(
    ("ptq", "rule", "message"),
    [
        ("adaround", {"quantizer": "apot"}, "scheme.rules[0].weight.quantizer=apot has a codebook"),
        ("magr", {"format": "fp4_e2m1"}, "but scheme.rules[0].weight.format=fp4_e2m1: set"),
        ("gptq", {"format": "mxfp4_e2m1"}, "but scheme.rules[0].weight.format=mxfp4_e2m1: set"),
        ("qwt", {"format": "mxfp4_e2m1"}, "fits the scales of weights, but scheme.rules[0].weight"),
    ],
)
def test_a_rule_is_held_against_the_steps_too(home, ptq, rule, message):
    made = raw(ptq=[ptq])
    made.scheme.rules = [RuleConfig(match="conv1", weight=rule)]
    with pytest.raises(ValueError, match=re.escape(message)):
        check_ptq(made)


def test_a_rule_that_rounds_nothing_has_no_levels(home):
    made = raw(ptq=["adaround"])
    for rule in ({"quantizer": "apot", "bits": 32}, {"format": "fp16"}, {"bits": 3}):
        made.scheme.rules = [RuleConfig(match="conv1", weight=rule)]
        check_ptq(made)
