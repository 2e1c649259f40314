"""A short training with aids, and what it is watched with."""

import lightning as L
import torch

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme, TensorSpec
from qat.training.fit import fit
from qat.training.qat import QATClassifier
from tests.gpu.conftest import calibrated, float_net, images_and_labels
from tests.gpu.test_training import batches
from tests.training.watching import At, OptimizerSpec, StopError, spec, stop

__all__ = ["StopError", "quantized_net", "stop_after", "train"]


class Watch(L.Callback):
    """Keep the first weight at the start, after each step, and in each validation."""

    def __init__(self, seen, validated):
        self.seen, self.validated = seen, validated

    def on_train_start(self, trainer, pl_module):
        self.seen.append(first(pl_module))

    def on_train_batch_end(self, trainer, pl_module, *args):
        self.seen.append(first(pl_module))

    def on_validation_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.validated.append(first(pl_module))


def first(module):
    return module.net.get_submodule("0").weight.detach().clone()


def stop_after(epoch):
    """Stands for a kill in the epoch after ``epoch``."""
    return At(epoch + 1, 1, stop)


def quantized_net(weight=None, act=None):
    """A calibrated network with these specs; by default those of minmax with 4 bits."""
    images, _ = images_and_labels()
    per_channel = TensorSpec(bits=4, granularity="channel")
    scheme = Scheme(weight=weight or per_channel, act=act or TensorSpec(bits=4))
    net = float_net()
    qnet = quantize(net, make_plan(net, scheme, images[:8]), keep_norms=True)
    calibrate(qnet, [images])
    return qnet


def train(folder, *callbacks, net=None, watch=None, validated=None, lr=0.02, **parts):
    """Three epochs of five batches; aids come as callbacks and as parts of the module."""
    net = calibrated("lsq")[0] if net is None else net
    optimizer = OptimizerSpec(lr=lr, momentum=0.9, step_lr=0.001)
    module = QATClassifier(net, optimizer, **parts)
    own = batches(torch.device("cpu"))
    watching = Watch([] if watch is None else watch, [] if validated is None else validated)
    everything = (*callbacks, watching)
    fit(module, own.at_epoch, own, spec(), folder, callbacks=everything)
    return module.net
