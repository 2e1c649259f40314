"""Checks of the names of networks and methods, against lists whose import loads no torch."""

from collections.abc import Iterator
from importlib.util import find_spec

from qat.base.allowed import one_of
from qat.config.checks.deployment import exports
from qat.config.checks.slot_keys import check_observer_options
from qat.config.schema import DataConfig, ModelConfig, RunConfig
from qat.config.scheme import build_scheme
from qat.core.scheme import Method, Scheme
from qat.data.names import DATA_NAMES, TORCHVISION_DATA, check_name, chosen_options
from qat.export.runtimes.registry import make_runtime
from qat.models.names import BUILTIN, check_timm_name, check_torchvision_name
from qat.observers.registry import OBSERVERS
from qat.quantizers.registry import QUANTIZERS


def check_names(config: RunConfig) -> None:
    """Refuse names that do not exist, and a runtime that is not installed.

    Raises:
        ValueError: If the name of a method or of a built-in network is unknown, or a value of the
            scheme is wrong.
        KeyError: If torchvision or timm has no network of that name.
        QatError: If the runtime is not installed; the message says how to install it.
    """
    _check_model(config.model)
    _check_data(config.data)
    if config.mode != "float":
        _check_methods(build_scheme(config))
    runtime = config.measure.runtime
    if exports(config) and runtime != "none" and find_spec(runtime) is None:
        make_runtime(runtime).version()  # raises the error that says how to install it


def _check_model(model: ModelConfig) -> None:
    if model.source == "builtin":
        one_of("model.name", model.name, BUILTIN)
    elif model.source == "torchvision":
        check_torchvision_name(model.name)
    elif model.source == "timm":
        check_timm_name(model.name)


def _check_data(data: DataConfig) -> None:
    check_name(data.name)
    one_of("data.name", data.name, DATA_NAMES)
    if data.name in TORCHVISION_DATA:
        chosen_options(data.name, data.options)


def _check_methods(scheme: Scheme) -> None:
    for key, method in _methods(scheme, "quantizer"):
        one_of(key, method.name, [*QUANTIZERS, "user"])
    for key, method in _methods(scheme, "observer"):
        one_of(key, method.name, ["default", *OBSERVERS, "user"])
        check_observer_options(key, method)


def _methods(scheme: Scheme, kind: str) -> Iterator[tuple[str, Method]]:
    """``(key, method)`` of each slot, then of each rule that has one."""
    for slot in ("weight", "act"):
        yield f"{kind}@scheme.{slot}", getattr(getattr(scheme, slot), kind)
    for number, rule in enumerate(scheme.rules):
        for slot in ("weight", "act"):
            if kind in getattr(rule, slot):
                yield f"scheme.rules[{number}].{slot}.{kind}", getattr(rule, slot)[kind]
