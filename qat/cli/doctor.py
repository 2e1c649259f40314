"""``qat doctor`` shows what this machine has, and what each missing part costs."""

import importlib.util
import os
import shutil

from qat.base.exit_codes import DONE
from qat.base.lines import aligned
from qat.base.plurals import counted
from qat.config.yaml_files import default_path
from qat.data.names import NAMED, TORCHVISION_DATA, file_name, presence
from qat.records.environment import environment_facts, integer_products, products_may_saturate

# Optional module → the effect if it is missing, and the extra that installs it.
_OPTIONAL = {
    "onnxruntime": "no integer runtime for exported networks",
    "openvino": "no second integer runtime; pip install 'qatlab[openvino]'",
    "timm": "no networks of timm; pip install 'qatlab[timm]'",
    "hydra_plugins.hydra_joblib_launcher": "sweeps run one job at a time; qatlab[joblib]",
    "hydra_plugins.hydra_submitit_launcher": "no jobs on SLURM; qatlab[slurm]",
    "hydra_plugins.hydra_ray_launcher": "no jobs on Ray; qatlab[ray]",
    "hydra_plugins.hydra_optuna_sweeper": "no search over settings; qatlab[optuna]",
}


def doctor_command() -> int:
    """Print one line for each fact; ``-`` marks what is missing."""
    lines = [*_machine(), *_compilers(), *_devices(), *_packages(), *_data()]
    for line in aligned({f"{mark} {name}": text for mark, name, text in lines}, indent=""):
        print(line)
    return DONE


DoctorLine = tuple[str, str, str]
"""``+`` or ``-``, name, text."""


def _machine() -> list[DoctorLine]:
    facts = environment_facts()
    versions = ", ".join(f"{k} {v}" for k, v in facts["versions"].items())
    instructions = facts["instructions"]
    lines = [
        ("+", "python", facts["python"]),
        ("+", "versions", versions),
        ("+", "cpu", f"{facts['cpu']}, {counted(facts['cores'], 'usable core')}"),
    ]
    best = integer_products(instructions)
    if best is not None:
        names = ", ".join([best, *sorted(set(instructions) - {best})])
        lines.append(("+", "integer instructions", names))
    else:
        clip = ", and u8 x s8 kernels may saturate; scheme.weight.bits=7 avoids it"
        lack = "8-bit products are slower" + (clip if products_may_saturate(instructions) else "")
        lines.append(("-", "integer instructions (VNNI, AMX)", lack))
    return lines


def _compilers() -> list[DoctorLine]:
    names = [os.environ.get("CXX", ""), "g++", "clang++", "c++"]
    path = next((p for p in map(shutil.which, filter(None, names)) if p), None)
    if path:
        return [("+", "C++ compiler", path)]
    return [("-", "C++ compiler", "quantized training takes about twice as long: install g++")]


def _devices() -> list[DoctorLine]:
    import torch

    if torch.cuda.is_available():
        return [("+", "GPU", torch.cuda.get_device_name())]
    return [("-", "GPU", "training runs on the CPU")]


def _packages() -> list[DoctorLine]:
    lines: list[DoctorLine] = []
    for module, lack in _OPTIONAL.items():
        try:
            is_installed = importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:  # its parent package is missing too
            is_installed = False
        lines.append(("+", module, "installed") if is_installed else ("-", module, lack))
    return lines


def _data() -> list[DoctorLine]:
    root = default_path("data")
    lines: list[DoctorLine] = [("+", "data fashion_mini", "in the package")]
    for name in NAMED:
        place, cure = presence(name, root)
        lack = f"{root / file_name(name, {})} does not exist: {cure}"
        lines.append(("+" if place else "-", f"data {name}", place or lack))
    here = [name for name in TORCHVISION_DATA if presence(name, root)[0]]
    others = f"none of its {len(TORCHVISION_DATA)} data sets is here: see qat list data"
    lines.append(("+" if here else "-", "data torchvision", ", ".join(here) or others))
    return lines
