"""The float network of a run: from a user's checkpoint, or trained once and kept in the cache."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from qat.base.progress import tracked
from qat.base.reading import file_digest
from qat.models.checkpoint import load_checkpoint, save_checkpoint
from qat.run.prepared import Prepared
from qat.training.evaluate import predict_logits


@dataclass(frozen=True)
class FloatNetwork:
    """A float network and a name for its weights.

    Attributes:
        net: The network, on the device of the run.
        digest: Digest of its checkpoint file, or the name of its published weights.
    """

    net: nn.Module
    digest: str


def float_network(prepared: Prepared) -> FloatNetwork:
    """Load the float network of a run, or train it and keep it in the cache.

    Raises:
        ValueError: If its checkpoint does not fit the architecture.
        TrainingError: If its training fails.
    """
    request, net = prepared.network, prepared.network.build()
    if request.checkpoint is not None:
        return FloatNetwork(net, str(prepared.checkpoint_digest))
    if request.weights is not None:
        return FloatNetwork(net, f"{request.name}:{request.weights}")
    path = _train_shared(prepared)
    load_checkpoint(net, path)
    return FloatNetwork(net, file_digest(path))


def float_logits(prepared: Prepared, source: FloatNetwork) -> Tensor:
    """Logits of the float network on the test set, kept in the cache.

    Args:
        prepared: The run.
        source: The float network.

    Returns:
        Shape (test images, classes), on the CPU.
    """
    batches = prepared.images.float_test()

    def make(path: Path) -> None:
        logits = predict_logits(source.net, tracked("float evaluation", batches), prepared.device)
        save_file({"logits": logits.cpu()}, path)

    key = prepared.keys.float_logits(source.digest, batches.batch_size)
    path = prepared.cache.get_or_make("float_logits", key, make, suffix=".safetensors")
    return load_file(path)["logits"]


def _train_shared(prepared: Prepared) -> Path:
    """The file of the trained network; its checkpoints are deleted when the training ends."""
    key, data = prepared.keys.float_training(), prepared.data
    entry = prepared.cache.path_of("float", key)
    checkpoints = entry.with_name(f"{entry.name}.training")

    def make(path: Path) -> None:
        from qat.run.training import fit_float  # imports lightning

        net = prepared.network.build()
        assert prepared.float_training is not None
        fit_float(prepared.float_training, data, net, checkpoints)
        save_checkpoint(net, path, (data.mean, data.std))
        shutil.rmtree(checkpoints, ignore_errors=True)

    return prepared.cache.get_or_make("float", key, make, suffix=".safetensors")
