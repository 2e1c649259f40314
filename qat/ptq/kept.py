"""Results of finished layers in files, so that an interrupted run repeats no finished layer."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from qat.base.atomic import atomic_path
from qat.ptq.work import Work
from qat.quantizers.base import Quantizer

SECONDS, FROZEN = "seconds", "frozen"


def restored(work: Work, name: str, modules: Mapping[str, nn.Module]) -> bool:
    """Load the results of a layer or block that an interrupted run finished.

    Args:
        work: The step's work; its ``seconds_before`` grows by the time that is saved.
        name: Of the layer or block.
        modules: Module path → module, as for :func:`keeping`; changed in place.

    Returns:
        Whether there were results; a damaged file counts as none.
    """
    path = None if work.folder is None else work.folder / _file_name(name)
    if path is None or not path.is_file():
        return False
    try:
        with safe_open(path, framework="pt", device=str(work.device)) as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            facts = file.metadata() or {}
    except SafetensorError:
        return False
    for place, module in modules.items():
        _load(place, module, tensors)
        _freeze(module, place, facts.get(FROZEN, "").split())
    work.seconds_before += float(facts.get(SECONDS, 0))
    return True


@contextmanager
def keeping(work: Work, name: str, modules: Mapping[str, nn.Module]) -> Iterator[None]:
    """Write the state of modules when the block that changes them ends without an error.

    Args:
        work: The step's work.
        name: Of the layer or block.
        modules: Module path → module.
    """
    start = time.perf_counter()
    yield
    if work.folder is None:
        return
    tensors = {
        f"{place}.{key}": value.detach().clone().contiguous().cpu()
        for place, module in modules.items()
        for key, value in module.state_dict().items()
    }
    frozen = [place for p, module in modules.items() for place in _frozen(module, p)]
    facts = {SECONDS: str(time.perf_counter() - start), FROZEN: " ".join(frozen)}
    with atomic_path(work.folder / _file_name(name)) as aside:
        save_file(tensors, aside, facts)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name) + ".safetensors"


def _load(place: str, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    prefix = f"{place}."
    state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    if "bias" in state and getattr(module, "bias", None) is None:
        module.bias = nn.Parameter(torch.zeros_like(state["bias"]))  # type: ignore[assignment]
    module.load_state_dict(state)


def _quantizers(module: nn.Module, place: str) -> Iterator[tuple[str, Quantizer]]:
    for name, part in module.named_modules(prefix=place):
        if isinstance(part, Quantizer):
            yield name, part


def _frozen(module: nn.Module, place: str) -> list[str]:
    return [name for name, quantizer in _quantizers(module, place) if quantizer.frozen]


def _freeze(module: nn.Module, place: str, frozen: list[str]) -> None:
    for name, quantizer in _quantizers(module, place):
        quantizer.frozen = name in frozen
