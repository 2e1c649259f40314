"""docs/mixed.md names every method; tests/docs/test_python_blocks.py runs its code."""

from pathlib import Path

from qat.allocate.registry import ALLOCATORS
from qat.sensitivity.registry import METRICS

GUIDE = (Path(__file__).parents[2] / "docs" / "mixed.md").read_text(encoding="utf-8")


def test_every_method_is_named():
    for name in (*METRICS, *ALLOCATORS):
        assert f"`{name}`" in GUIDE
