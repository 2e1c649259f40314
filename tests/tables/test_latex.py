"""LaTeX that compiles: captions, odd names, whole tables."""

import shutil
import subprocess

import pytest

from qat.records.metrics import METRICS
from qat.tables.cell_text import Shown
from qat.tables.latex import latex
from qat.tables.layout import LAYOUTS
from qat.tables.render import render
from qat.tables.table import table_from
from tests.tables.documents import ODD, document


def test_a_caption_or_a_label_makes_it_float():
    text = latex(["a"], [False], [], [], [], caption="50 % of [x]", label="tab:half")
    assert text.startswith("% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n")
    assert "\\caption{50 \\% of [x]}\n\\label{tab:half}\n" in text
    assert text.endswith("\\end{table}\n")


@pytest.mark.latex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_whatever_runs_are_called_it_compiles(tmp_path):
    header = [metric.label for metric in METRICS.values()][:2]
    cells = [[Shown(text, bold=i % 2 == 0, marks=(1,)), Shown(text)] for i, text in enumerate(ODD)]
    text = latex(header, [False, True], cells, ODD, ODD, caption="[≈] 数", label="tab:a")
    (tmp_path / "it.tex").write_text(document(text), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.latex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", ["pact", "hawq", "flat"])
def test_latex_compiles(study, tmp_path, name):
    table = table_from(study, LAYOUTS[name])
    (tmp_path / "it.tex").write_text(document(render(table, "latex")))
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "it.pdf").stat().st_size > 1000
