"""Which parameter is in which group."""

import pytest
from torch import nn
from torch.optim import SGD, Adam, AdamW

from qat.training.classifier import FloatClassifier
from qat.training.optimizers import make_optimizer, parameter_groups
from qat.training.qat import QATClassifier
from qat.training.specs import OptimizerSpec


def names_by_group(module: nn.Module, groups: list) -> dict[str, set[str]]:
    name_of = {id(p): name for name, p in module.net.named_parameters()}
    return {group["name"]: {name_of[id(p)] for p in group["params"]} for group in groups}


WEIGHTS = {"0.weight", "0.bias", "1.weight", "1.bias", "5.weight", "5.bias"}
STEPS = {"0.weight_quantizer.step", "5.weight_quantizer.step"}


def test_a_float_network_has_one_group(float_net):
    for kind in (FloatClassifier, QATClassifier):
        module = kind(float_net, OptimizerSpec())
        assert names_by_group(module, module.parameter_groups()) == {"weights": WEIGHTS}


def test_norms_and_biases_can_go_undecayed(quantized_net):
    spec = OptimizerSpec(weight_decay=1e-4, decay_norm_and_bias=False)
    module = QATClassifier(quantized_net, spec)
    groups = module.parameter_groups()
    matrices = {"0.weight", "5.weight"}
    assert names_by_group(module, groups) == {
        "weights": matrices,
        "undecayed": WEIGHTS - matrices,
        "quantizers": STEPS,
    }
    assert [g["weight_decay"] for g in groups] == [1e-4, 0.0, 0.0]


def test_frozen_parameters_are_left_out(quantized_net):
    for parameter in quantized_net[0].parameters():
        parameter.requires_grad_(False)
    module = QATClassifier(quantized_net, OptimizerSpec())
    groups = names_by_group(module, module.parameter_groups())
    assert groups["weights"] == {name for name in WEIGHTS if not name.startswith("0.")}
    assert groups["quantizers"] == {"5.weight_quantizer.step"}


@pytest.mark.parametrize(
    ("spec", "kind", "values"),
    [
        (
            OptimizerSpec("sgd", momentum=0.9, nesterov=True),
            SGD,
            {"momentum": 0.9, "nesterov": True},
        ),
        (OptimizerSpec("adam", betas=(0.8, 0.9)), Adam, {"betas": (0.8, 0.9)}),
        (OptimizerSpec("adamw", betas=(0.8, 0.9)), AdamW, {"betas": (0.8, 0.9)}),
    ],
)
def test_the_optimizer_named_is_made(spec, kind, values, float_net):
    optimizer = make_optimizer(FloatClassifier(float_net, spec).parameter_groups(), spec)
    assert type(optimizer) is kind
    assert {key: optimizer.param_groups[0][key] for key in values} == values


def test_a_quantizer_may_have_its_own_decay(quantized_net):
    quantized_net[5].weight_quantizer.decay = "weights"
    quantized_net[0].weight_quantizer.decay = 0.5
    spec = OptimizerSpec(weight_decay=1e-4, step_weight_decay=0.01, step_lr=0.2)
    module = QATClassifier(quantized_net, spec)
    groups = module.parameter_groups()
    assert names_by_group(module, groups) == {
        "weights": WEIGHTS,
        "quantizers_decay_0.0001": {"5.weight_quantizer.step"},
        "quantizers_decay_0.5": {"0.weight_quantizer.step"},
    }
    by_name = {group["name"]: (group["weight_decay"], group["lr"]) for group in groups}
    assert by_name["quantizers_decay_0.0001"] == (1e-4, 0.2)
    assert by_name["quantizers_decay_0.5"] == (0.5, 0.2)


def test_groups_for_a_loop_of_ones_own_are_those_of_the_training(quantized_net):
    rates = {"lr": 0.3, "weight_decay": 1e-4, "step_lr": 0.2, "step_weight_decay": 0.01}
    for decay in (True, False):
        settings = {**rates, "decay_norm_and_bias": decay}
        groups = parameter_groups(quantized_net, **settings)
        assert groups == QATClassifier(quantized_net, OptimizerSpec(**settings)).parameter_groups()
    assert [(group["name"], group["lr"]) for group in groups] == [
        ("weights", 0.3),
        ("undecayed", 0.3),
        ("quantizers", 0.2),
    ]


def test_an_empty_group_is_left_out_and_a_wrong_rate_refused(quantized_net):
    for name, parameter in quantized_net.named_parameters():
        parameter.requires_grad_(name in STEPS)
    assert [g["name"] for g in parameter_groups(quantized_net, lr=0.1)] == ["quantizers"]
    with pytest.raises(ValueError, match="lr must be above 0"):
        parameter_groups(quantized_net, lr=0.0)
