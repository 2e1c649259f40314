"""Bytes of a float network: a safetensors file that was really written."""

import tempfile
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from qat.core.network_tensors import own_state


def float_file_bytes(net: nn.Module) -> int:
    """Size of the network's state dict as a safetensors file; shared tensors count once."""
    state = {key: t.detach().cpu().contiguous().clone() for key, t in own_state(net).items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.safetensors"
        save_file(state, path)
        return path.stat().st_size
