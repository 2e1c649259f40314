"""Size of a float network: bytes of a safetensors file that is written and measured."""

import tempfile
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from qat.core.network_tensors import own_state


def float_file_bytes(net: nn.Module) -> int:
    """Size of the state dict of a network as a safetensors file; shared tensors count once.

    Example:
        >>> small, large = (float_file_bytes(nn.Linear(n, 1, bias=False)) for n in (100, 200))
        >>> large - small
        400
    """
    state = {key: t.detach().cpu().contiguous().clone() for key, t in own_state(net).items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.safetensors"
        save_file(state, path)
        return path.stat().st_size
