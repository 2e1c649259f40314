"""Training at falling widths: the network is trained at each width before its own.

    float -> 4 bits -> 3 bits -> 2 bits

Zhuang, Shen, Tan, Liu & Reid 2018, "Towards Effective Low-bitwidth Convolutional Neural Networks",
CVPR, arXiv:1711.00205, section 3.3 (progressive quantization): the weights of each width are the
start of the next narrower one. Each width has the whole training of the run (``trainer.max_epochs``
and the schedule), and its ranges and steps are calibrated anew. Layers whose own width is above the
one that is trained keep their own.

Cites: zhuang2018progressive.
"""

import torch
from torch import nn

from qat.convert.swap import quantize
from qat.core.raised_plan import at_least
from qat.layers.walk import quantizer_keys
from qat.records.file_names import CHECKPOINTS
from qat.run.state import RunState
from qat.run.training import fit_quantized


def train_wider_first(state: RunState) -> list[str]:
    """Train at each width of ``aids.progressive_bits``; the run's own starts from the last.

    A width that is already trained, before a kill, is only loaded. Without widths nothing changes.

    Args:
        state: With the calibrated network, whose weights and ranges are replaced.

    Returns:
        Warnings of the trainings, one line each.

    Raises:
        TrainingError: If a training fails.
    """
    prepared, warnings = state.prepared, []
    assert prepared.training is not None
    before: nn.Module | None = None
    for bits in prepared.training.aids.progressive_bits:
        qnet = quantize(state.net, at_least(state.plan, bits), keep_norms=True)
        _start(state, qnet, before)
        folder = state.folder.path / CHECKPOINTS / f"bits{bits}"
        warnings += fit_quantized(prepared, qnet, state.net, folder, bits)
        before = qnet
    if before is not None:
        _start(state, state.quantized, before)
    return warnings


def _start(state: RunState, qnet: nn.Module, before: nn.Module | None) -> None:
    """Take the weights of the wider network, if there is one, and calibrate."""
    if before is None:
        state.prepared.calibration.run(qnet, state.source.digest)
        return
    copy_weights(before, qnet)
    state.prepared.calibration.run_anew(qnet)


@torch.no_grad()
def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy weights, biases and batch-norm statistics; quantizers keep their own state.

    Args:
        source: A quantized network.
        target: The same network under another plan, changed in place.

    Example:
        >>> from qat.core.plan import LayerPlan, Plan
        >>> from qat.core.scheme import TensorSpec
        >>> net = nn.Sequential(nn.Linear(2, 2))
        >>> spec = TensorSpec(bits=2, signed=True)
        >>> plan = Plan({"0": LayerPlan("0", "Linear", spec, spec)})
        >>> wide, narrow = quantize(net, at_least(plan, 4)), quantize(net, plan)
        >>> _ = wide[0].weight.data.fill_(0.25)
        >>> copy_weights(wide, narrow)
        >>> narrow[0].weight.unique().tolist()
        [0.25]
    """
    own = quantizer_keys(target)
    values = source.state_dict()
    for key, value in target.state_dict().items():
        if not key.startswith(own):
            value.copy_(values[key])
