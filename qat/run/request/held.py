"""The plan that ``scheme.plan`` names, with the ranges that are held."""

from dataclasses import replace
from pathlib import Path

from qat.base.errors import InputError
from qat.config.schema import RunConfig
from qat.convert.held import with_methods
from qat.core.held_plan import HeldPlan
from qat.core.scheme import Scheme


def held_plan(config: RunConfig, scheme: Scheme | None) -> HeldPlan | None:
    """Read the plan of a run; formats and ranges are the file's, the methods are the scheme's.

    Args:
        config: The run's configuration.
        scheme: Its scheme; None in mode float.

    Returns:
        The plan; None if the scheme makes it.

    Raises:
        InputError: If the file is no plan, or has another placement.
    """
    path = config.scheme.plan
    if path is None or scheme is None:
        return None
    held = HeldPlan.load(Path(path))
    if held.plan.placement != scheme.placement:
        raise InputError(
            f"scheme.plan={path} is a plan in placement {held.plan.placement}, got "
            f"scheme.placement={scheme.placement}: set scheme.placement={held.plan.placement}"
        )
    return replace(held, plan=with_methods(held.plan, scheme))
