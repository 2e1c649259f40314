"""The float network of a run: a checkpoint of the user's, or one that is trained once and kept."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from qat.base.progress import tracked
from qat.base.reading import file_digest
from qat.models.checkpoint import load_checkpoint, save_checkpoint
from qat.records.cache import Cache
from qat.records.schema import NUMERICS_VERSION
from qat.run.prepare import Prepared
from qat.run.training import fit_float
from qat.training.evaluate import predict_logits


def float_network(prepared: Prepared) -> tuple[nn.Module, str]:
    """The float network and the digest of its checkpoint."""
    config = prepared.config
    net = prepared.network()
    if config.model.checkpoint is not None:
        return net, str(prepared.checkpoint_digest)
    if config.model.weights is not None:
        return net, f"{config.model.name}:{config.model.weights}"
    path = Cache(Path(config.paths.cache)).get_or_make(
        "float", _key(prepared), lambda aside: _train(prepared, aside), suffix=".safetensors"
    )
    load_checkpoint(net, path)
    return net, file_digest(path)


def float_logits(prepared: Prepared, net: nn.Module, digest: str) -> Tensor:
    """Logits of the float network on the test set, computed once for each network and data."""
    batches = prepared.test_batches(prepared.config.evaluate.batch_size)
    key = {
        "checkpoint": digest,
        "data": prepared.data.digest,
        "preprocess": asdict(prepared.data.preprocess),
        "batch_size": batches.batch_size,
        "device": prepared.device.type,
        "threads": torch.get_num_threads(),
        "numerics_version": NUMERICS_VERSION,
    }

    def make(path: Path) -> None:
        watched = tracked("float evaluation", batches)
        save_file({"logits": predict_logits(net, watched, prepared.device).cpu()}, path)

    path = Cache(Path(prepared.config.paths.cache)).get_or_make(
        "float_logits", key, make, suffix=".safetensors"
    )
    return load_file(path)["logits"]


def _key(prepared: Prepared) -> dict[str, Any]:
    settings = prepared.settings
    kept: dict[str, Any] = {name: settings[name] for name in ("model", "data", "float")}
    kept["images"] = prepared.data.digest
    kept["evaluation_batch"] = prepared.config.evaluate.batch_size
    kept["numerics_version"] = NUMERICS_VERSION
    return json.loads(json.dumps(kept))  # type: ignore[no-any-return]


def _train(prepared: Prepared, path: Path) -> None:
    """Train under the cache's lock; checkpoints stay beside until the network is whole."""
    key = _key(prepared)
    final = Cache(Path(prepared.config.paths.cache)).path_of("float", key)
    folder = final.with_name(f"{final.name}.training")
    net = prepared.network()
    fit_float(prepared, net, folder)
    save_checkpoint(net, path, (prepared.data.mean, prepared.data.std))
    shutil.rmtree(folder, ignore_errors=True)
