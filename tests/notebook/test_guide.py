"""docs/notebook.md names what is public; tests/docs/test_python_blocks.py runs its code."""

from pathlib import Path

import qat

GUIDE = (Path(__file__).parents[2] / "docs" / "notebook.md").read_text(encoding="utf-8")


def test_every_figure_is_named():
    drawing = [name for name in dir(qat.plot) if name.endswith("_figure")]
    assert drawing
    for name in drawing:
        assert f"`{name}`" in GUIDE, name
