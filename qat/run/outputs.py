"""The outputs of a run's network on the test set."""

from torch import Tensor, nn

from qat.base.progress import tracked
from qat.run.prepared import Prepared
from qat.training.evaluate import predict_logits


def logits_of_test_set(prepared: Prepared, net: nn.Module, description: str) -> Tensor:
    """Compute a network's outputs on the whole test set.

    Args:
        prepared: The run, with its images and device.
        net: The network, on the run's device.
        description: Text of the progress bar.

    Returns:
        Shape (test images, classes), on the CPU.
    """
    batches = tracked(description, prepared.images.test())
    return predict_logits(net, batches, prepared.device).cpu()
