"""The code of docs/notebook.md runs as it stands, and names what is public."""

import re
from pathlib import Path

import matplotlib
import pytest

import qat

pytestmark = pytest.mark.filterwarnings("ignore::qat.notebook.errors.RunWarning")  # of short runs
GUIDE = (Path(__file__).parents[2] / "docs" / "notebook.md").read_text(encoding="utf-8")
DATA = '"data=synthetic"'


def test_the_code_runs_in_its_order(home, capsys):
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
        code = code.replace(DATA, f'{DATA}, "+data.options.image_size=8"')  # takes half the time
        exec(compile(code, "docs/notebook.md", "exec"), names)
    assert names["record"].status == "done"
    assert len(names["records"]) == 4
    assert names["frame"].top1_n.tolist() == [2, 2]
    assert names["wider"].plan["layers"]["features.1.0"]["weight"]["bits"] == 6
    bits = {name: layer.weight.bits for name, layer in names["narrower"].layers.items()}
    assert set(bits.values()) == {8, 4, 2}
    assert isinstance(names["figure"], matplotlib.figure.Figure)
    assert (home / "accuracy_size.pdf").is_file()
    out = capsys.readouterr().out
    assert out.startswith(f"run {names['record'].id}: top-1 ")  # only what print shows
    assert "layer1.0.conv1" in out


def test_every_figure_is_named():
    drawing = [name for name in dir(qat.plot) if name.endswith("_figure")]
    assert drawing
    for name in drawing:
        assert f"`{name}`" in GUIDE, name
