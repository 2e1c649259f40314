"""The configuration uses other rooms' lists of names, which load no torch."""

import pkgutil
import subprocess
import sys

import qat.config


def test_no_file_of_the_configuration_loads_torch():
    modules = [m.name for m in pkgutil.walk_packages(qat.config.__path__, "qat.config.")]
    assert {"qat.config.checks.mixed", "qat.config.words.types"} <= set(modules)
    script = (
        f"import importlib, sys; [importlib.import_module(name) for name in {modules}]; "
        "print({'torch', 'torchvision', 'numpy'} & set(sys.modules), *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("set() ")
    assert {"qat.sensitivity.registry", "qat.allocate.registry"} <= set(done.stdout.split())
