"""How widths may be chosen: metrics, budgets, and the options of learned widths."""

import re

import pytest

from qat.allocate.costs import COSTS
from qat.allocate.registry import WITH_OUTPUTS
from qat.config.checks.mixed import BUDGETS, LEARNED_OPTIONS, TOGETHER_OPTIONS, check_mixed
from qat.config.compose import compose_points
from qat.config.schema import RuleConfig
from qat.sensitivity.registry import METRICS, OUTPUT_METRICS

LEARNED = dict(zip(LEARNED_OPTIONS, (1, 1, "adam", 0.1, 1.0, 0.1), strict=True))


def learned(**changes):
    return {"allocate.name": "learned", "allocate.options": {**LEARNED, **changes}}


def together(name, **options):
    return {"allocate.name": name, "allocate.options": options}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"sensitivity.metric": "hawq"}, "sensitivity.metric must be one of accuracy_drop"),
        (
            {"sensitivity.metric": "user"},
            "sensitivity.target and sensitivity.metric=user must be set",
        ),
        ({"sensitivity.widths": []}, "sensitivity.widths is empty"),
        ({"sensitivity.slots": []}, "sensitivity.slots is empty"),
        ({"sensitivity.slots": ["bias"]}, "a slot of sensitivity.slots must be one of weight, act"),
        ({"sensitivity.metric": "weight_mse"}, "set sensitivity.slots=[weight]"),
        (
            {"sensitivity.hessian": {"tolerance": 0}},
            "sensitivity.hessian.tolerance must be above 0",
        ),
        ({"sensitivity.hessian": {"probes": 1}}, "a key of sensitivity.hessian must be one of"),
        ({"allocate.name": "magic"}, "allocate.name must be one of threshold, greedy"),
        ({"allocate.target": "a:b"}, "allocate.target and allocate=user must be set"),
        ({"allocate.latency_ms": 1.0}, "allocate.latency_ms needs the measured times of layers"),
        (
            {"allocate.latency_runs": ["a"], "allocate.latency_table": "b"},
            "allocate.latency_runs and allocate.latency_table are two tables",
        ),
        (learned(epoch=3), "a key of allocate.options with allocate=learned must be one of"),
        ({"allocate.name": "learned", "allocate.options": {}}, "allocate.options lacks epochs"),
        (learned(optimizer="lion"), "allocate.options.optimizer must be one of"),
        (learned(lr=0), "allocate.options.lr must be a number above 0"),
        (
            learned() | {"allocate.peak_activation_bytes": 9.0},
            "allocate.peak_activation_bytes has no price with a gradient",
        ),
        ({"mixed.then": "float"}, "mixed.then must be one of static, qat"),
        (
            {"scheme.placement": "integer", "sensitivity.widths": [4, 16]},
            "sensitivity.widths has 16, but scheme.placement=integer takes 2 to 8 bits",
        ),
        (
            learned() | {"scheme.placement": "integer", "sensitivity.widths": [4]},
            "allocate=learned needs scheme.placement=academic",
        ),
        (
            {"allocate.name": "clado", "sensitivity.metric": "fisher"},
            "sensitivity.metric=fisher does not read: take one of accuracy_drop, loss_increase",
        ),
        (
            {"allocate.name": "remeasure", "sensitivity.metric": "hessian"},
            "allocate=remeasure measures tensors together by the outputs",
        ),
        (together("clado", rounds=2), "a key of allocate.options with allocate=clado must be one"),
        (
            together("clado", psd=True),
            "options.psd must be one of relative, absolute, none",
        ),
        (together("clado", check=0), "allocate.options.check must be a whole number, 1 to"),
        (together("clado", check=True), "options.check must be a whole number, 1 to"),
        (together("clado", seconds=0), "allocate.options.seconds must be above 0"),
        (together("clado", reach=0), "allocate.options.reach must be a whole number, 1 to"),
        (together("clado", reach=1.5), "allocate.options.reach must be a whole number, 1 to"),
        (together("remeasure", rounds=0), "allocate.options.rounds must be a whole number, 1 to"),
    ],
)
def test_refused_in_mixed_mode_only(config, keys, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_mixed(config({"mode": "mixed", **keys}))
    check_mixed(config({"mode": "static", **keys}))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"scheme.weight.format": "fp8_e4m3"},
            "set scheme.weight.format=int, or sensitivity.slots=[act]",
        ),
        (
            {"scheme.weight.quantizer": "sawb"},
            "has 6, but scheme.weight.bits=6 (sawb has bits=2 to 5",
        ),
        (
            {"scheme.act.quantizer": "lqnets", "sensitivity.widths": [2, 8]},
            "has 8, but scheme.act.bits=8 (lqnets has bits=2 to 4): drop that width, or take "
            "quantizer@scheme.act=minmax",
        ),
        (
            {"scheme.weight.quantizer": "binary", "scheme.weight.bits": 1},
            "but scheme.weight.bits=2 (binary has bits=1): take scheme=w4a4",
        ),
    ],
)
def test_widths_that_a_quantizer_does_not_have_are_refused(config, keys, message):
    widths = {"mode": "mixed", "sensitivity.widths": [2, 6, 16]}
    with pytest.raises(ValueError, match=re.escape(message)):
        check_mixed(config(widths | keys))
    other = "act" if "act" not in str(keys) else "weight"
    check_mixed(config(widths | keys | {"sensitivity.slots": [other]}))


@pytest.mark.parametrize(
    ("rule", "is_chosen"),
    [({"quantizer": "sawb"}, True), ({"quantizer": "sawb", "bits": 8}, False)],
)
def test_a_rule_is_held_against_the_widths_unless_it_sets_its_own(config, rule, is_chosen):
    made = config({"mode": "mixed", "sensitivity.widths": [2, 6]})
    made.scheme.rules = [RuleConfig(match="conv1", weight=rule)]
    if not is_chosen:
        check_mixed(made)
        return
    with pytest.raises(ValueError, match=r"take scheme\.rules\[0\].weight.quantizer=minmax"):
        check_mixed(made)


def test_allowed(config):
    timed = {"allocate.latency_ms": 1.0, "allocate.latency_table": "times.json"}
    hessian = {"sensitivity.hessian": {"tolerance": 1, "max_probes": 10, "seed": 0}}
    check_mixed(config({"mode": "mixed", **timed, **hessian}))
    check_mixed(config({"mode": "mixed", **learned()}))


def test_the_file_of_learned_widths_has_all_options():
    (point,) = compose_points(["mode=mixed", "allocate=learned"], multirun=False)
    assert set(point.config.allocate.options) == set(LEARNED_OPTIONS)
    check_mixed(point.config)


@pytest.mark.parametrize("name", WITH_OUTPUTS)
def test_the_files_of_allocators_that_measure_tensors_together_are_allowed(name):
    (point,) = compose_points(["mode=mixed", f"allocate={name}"], multirun=False)
    assert set(point.config.allocate.options) == set(TOGETHER_OPTIONS[name])
    check_mixed(point.config)


def test_metrics_that_read_outputs_are_those_that_score_them():
    assert tuple(name for name, metric in METRICS.items() if metric.score) == OUTPUT_METRICS


def test_budgets_are_the_costs_that_are_counted():
    assert set(BUDGETS) == set(COSTS)
