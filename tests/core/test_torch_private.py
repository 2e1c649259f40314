"""What is used of torch's own insides does what it did."""

import subprocess
import sys

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from qat.core import torch_private


def test_it_is_the_version_that_was_read():
    assert torch.__version__.startswith(f"{torch_private.READ_IN}."), (
        "read qat/core/torch_private.py against this version"
    )


def test_the_limit_is_the_compilers():
    before = torch._dynamo.config.recompile_limit
    try:
        torch_private.set_recompile_limit(77)
        assert torch._dynamo.config.recompile_limit == 77
    finally:
        torch_private.set_recompile_limit(before)


def test_division_is_rounded_as_in_eager_code():
    from torch._inductor import config

    names = ("eager_numerics.division_rounding", "eager_numerics.disable_ftz")
    with config.patch(dict.fromkeys(names, False)):
        torch_private.set_eager_numerics()
        assert config.eager_numerics.division_rounding
        assert config.eager_numerics.disable_ftz


def test_changes_are_those_of_the_allocator():
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        tensor = torch.empty(1024, dtype=torch.float32)
        del tensor
    sizes = [size for _, size in torch_private.memory_changes(seen)]
    assert sizes[0] >= 4096
    assert sum(sizes) == 0


SCRIPT = """
import sys
import torch
from qat.core.torch_private import EagerDispatchMode

class Names(EagerDispatchMode):
    names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))

with Names():
    torch.ones(2) + 1
print(*Names.names, "torch._dynamo" in sys.modules)
"""


@pytest.mark.slow
def test_a_mode_sees_each_kernel_and_loads_no_compiler():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["aten.ones.default", "aten.add.Tensor", "False"]
