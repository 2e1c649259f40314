"""Names of networks and methods, in slots and in rules."""

import pytest

from qat.config.checks.names import check_names
from qat.config.schema import RuleConfig


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"model.name": "resnet21"}, ValueError, "model.name must be one of .*did you mean 'resn"),
        ({"model.source": "torchvision", "model.name": "resnet_18"}, KeyError, "resnet18"),
        ({"data.name": "CIFAR10"}, ValueError, "data.name=CIFAR10 is data=cifar10 here"),
        ({"data.name": "cifar"}, ValueError, "data.name must be one of .*did you mean 'cifar10'"),
        (
            {"data.name": "DTD", "data.options": {"partition": 11}},
            ValueError,
            r"data\.options\.partition must be one of 1, .*got '11'",
        ),
        ({"scheme.act.quantizer": "lsqq"}, ValueError, "quantizer@scheme.act must be one of"),
        ({"scheme.weight.observer": "max"}, ValueError, "observer@scheme.weight must be one of"),
        (
            {"scheme.rules": [RuleConfig("fc*", act={"quantizer": "pacct"})]},
            ValueError,
            r"scheme.rules\[0\].act.quantizer must be one of",
        ),
        (
            {
                "scheme.rules": [
                    RuleConfig("fc*", act={"observer": {"name": "std", "options": {"k": 0}}})
                ]
            },
            ValueError,
            r"scheme.rules\[0\].act.observer=std: k must be above 0",
        ),
        (
            {
                "scheme.act.observer": "percentile",
                "scheme.act.observer_options": {"percentile": 101},
            },
            ValueError,
            "observer@scheme.act=percentile: percentile must be above 50, at most 100, got 101",
        ),
    ],
)
def test_an_unknown_name_is_refused(config, keys, error, message):
    with pytest.raises(error, match=message):
        check_names(config({"mode": "static", **keys}))


def test_known_names_pass_and_methods_of_a_float_run_are_not_read(config):
    check_names(config(mode="static"))
    check_names(config({"mode": "float", "scheme.act.quantizer": "lsqq"}))
    check_names(config({"model.source": "torchvision", "model.name": "resnet18"}))
    check_names(config({"model.source": "user", "model.name": "anything", "model.target": "a:b"}))
