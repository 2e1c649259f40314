"""The parameter group of quantizers."""

from qat.training.qat import QATClassifier
from qat.training.specs import OptimizerSpec
from tests.training.test_optimizers import STEPS, WEIGHTS, names_by_group


def test_steps_have_a_group_of_their_own(quantized_net):
    module = QATClassifier(quantized_net, OptimizerSpec(lr=0.1, weight_decay=1e-4, step_lr=0.01))
    groups = module.parameter_groups()
    assert names_by_group(module, groups) == {"weights": WEIGHTS, "quantizers": STEPS}
    assert [(g["lr"], g["weight_decay"]) for g in groups] == [(0.1, 1e-4), (0.01, 0.0)]


def test_steps_learn_at_the_common_rate_without_a_rate_of_their_own(quantized_net):
    spec = OptimizerSpec(lr=0.1, weight_decay=1e-4, step_weight_decay=1e-5)
    quantizers = QATClassifier(quantized_net, spec).parameter_groups()[-1]
    assert (quantizers["lr"], quantizers["weight_decay"]) == (0.1, 1e-5)
