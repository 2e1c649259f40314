"""Bytes of a float network: a safetensors file that was really written."""

import tempfile
from pathlib import Path

from safetensors.torch import save_file
from torch import nn


def float_file_bytes(net: nn.Module) -> int:
    """Size of the network's state dict as a safetensors file."""
    state = {key: tensor.detach().cpu().clone() for key, tensor in net.state_dict().items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.safetensors"
        save_file(state, path)
        return path.stat().st_size
