"""The formats that a configuration names, rules among them."""

from qat.config.checks.rule_specs import named_specs
from qat.config.schema import RuleConfig


def named(config, weight=None, **keys):
    made = config({"scheme.act.bits": 32, **keys})
    made.scheme.rules = [RuleConfig(match="a", weight=weight)] if weight else []
    return [(n.key, n.slot, n.spec.bits, n.is_fixed) for n in named_specs(made)]


def test_slots_that_are_on_then_rules(config):
    base = ("scheme.weight", "weight", 4, False)
    bits = {"scheme.weight.bits": 4}
    assert named(config, **bits) == [base]
    key = "scheme.rules[0].weight"
    assert named(config, {"bits": 2}, **bits) == [base, (key, "weight", 2, True)]
    assert named(config, {"quantizer": "lsq"}, **bits) == [base, (key, "weight", 4, False)]
    assert named(config, {"format": "float"}, **bits) == [base]


def test_a_rule_that_does_not_fit_the_scheme_is_left_to_the_plan(config):
    scheme = {"scheme.weight.format": "mxfp4_e2m1"}
    assert named(config, {"observer": "mse"}, **scheme) == [("scheme.weight", "weight", 4, False)]


def test_the_quantizer_is_named_as_it_is_typed(config):
    made = config()
    made.scheme.rules = [RuleConfig(match="a", act={"bits": 3})]
    assert [n.quantizer_key for n in named_specs(made)] == [
        "quantizer@scheme.weight",
        "quantizer@scheme.act",
        "scheme.rules[0].act.quantizer",
    ]
