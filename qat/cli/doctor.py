"""``qat doctor``: what this machine has, and what the lack of the rest costs."""

import importlib.util
import os
import shutil
from pathlib import Path

from qat.base.exit_codes import DONE
from qat.base.lines import aligned
from qat.config.yaml_files import default_path
from qat.records.environment import environment_facts, integer_products, products_may_saturate

# Module → what goes without it.
_OPTIONAL = {
    "onnxruntime": "no integer runtime to export to",
    "openvino": "no second integer runtime; pip install 'qatlab[openvino]'",
    "hydra_plugins.hydra_joblib_launcher": "sweeps run one job at a time; qatlab[joblib]",
    "hydra_plugins.hydra_submitit_launcher": "no jobs on SLURM; qatlab[slurm]",
    "hydra_plugins.hydra_ray_launcher": "no jobs on Ray; qatlab[ray]",
    "hydra_plugins.hydra_optuna_sweeper": "no search over settings; qatlab[optuna]",
}
_NAMED_DATA = ("cifar10", "fashion_mnist")


def doctor_command() -> int:
    """Print one line a fact; ``-`` marks what is missing."""
    lines = [*_machine(), *_compilers(), *_devices(), *_packages(), *_data()]
    for line in aligned({f"{mark} {name}": text for mark, name, text in lines}, indent=""):
        print(line)
    return DONE


Line = tuple[str, str, str]


def _machine() -> list[Line]:
    facts = environment_facts()
    versions = ", ".join(f"{k} {v}" for k, v in facts["versions"].items())
    instructions = facts["instructions"]
    lines = [
        ("+", "python", facts["python"]),
        ("+", "versions", versions),
        ("+", "cpu", f"{facts['cpu']}, {facts['cores']} usable cores"),
    ]
    best = integer_products(instructions)
    if best is not None:
        names = ", ".join([best, *sorted(set(instructions) - {best})])
        lines.append(("+", "integer instructions", names))
    else:
        clip = ", and may saturate in u8 x s8 kernels: weights of 7 bits do not"
        lack = "8-bit products are slower" + (clip if products_may_saturate(instructions) else "")
        lines.append(("-", "integer instructions (VNNI, AMX)", lack))
    return lines


def _compilers() -> list[Line]:
    names = [os.environ.get("CXX", ""), "g++", "clang++", "c++"]
    path = next((p for p in map(shutil.which, filter(None, names)) if p), None)
    if path:
        return [("+", "C++ compiler", path)]
    return [("-", "C++ compiler", "quantized training takes about twice the time: install g++")]


def _devices() -> list[Line]:
    import torch

    if torch.cuda.is_available():
        return [("+", "GPU", torch.cuda.get_device_name())]
    return [("-", "GPU", "training runs on the CPU")]


def _packages() -> list[Line]:
    lines: list[Line] = []
    for module, lack in _OPTIONAL.items():
        try:
            there = importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:  # its parent package is not there either
            there = False
        lines.append(("+", module, "found") if there else ("-", module, lack))
    return lines


def _data() -> list[Line]:
    root = default_path("data")
    lines: list[Line] = [("+", "data fashion_mini", "in the package")]
    for name in _NAMED_DATA:
        file = Path(root) / f"{name}.npz"
        lack = f"{file} is not there: fetched at its first use, which needs a network"
        mark, text = ("+", str(file)) if file.is_file() else ("-", lack)
        lines.append((mark, f"data {name}", text))
    return lines
