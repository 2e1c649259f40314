"""The outputs of a run's network on the test set."""

from torch import Tensor, nn

from qat.base.progress import tracked
from qat.run.prepared import Prepared
from qat.training.evaluate import predict_logits


def logits_of_test_set(prepared: Prepared, net: nn.Module, description: str) -> Tensor:
    """Outputs on the whole test set, on the CPU."""
    batches = tracked(description, prepared.images.test())
    return predict_logits(net, batches, prepared.device).cpu()
