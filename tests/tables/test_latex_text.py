"""Any text, as pdflatex can set it."""

import shutil
import subprocess

import pytest

from qat.records.metrics import METRICS
from qat.tables.cell_text import Shown
from qat.tables.latex import latex
from qat.tables.latex_text import escape
from tests.tables.documents import document

ODD = [
    *("[4] bits", "*starred", "[", "a[1]", "", "≈ ± × – → − ≤ ∞ µ °C", "größe é ñ ç ž ő ł"),
    *("αβγ ΔΩΑ ς ο", "数据 данные", "😀", "ﬁne", "x² ½", "\x07\x1b[31m", "tab\there"),
    *("100 % & $x_1^2 # {~} \\ |", "“q” ‘s’ …", "\u200bzero", "a\u0301", "-- 'quoted' `tick`"),
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[x]", "{[}x]"),
        ("*", "{*}"),
        ("a[x]*", "a[x]*"),
        ("≈ ±", r"$\approx$ $\pm$"),
        ("→", r"$\rightarrow$"),
        ("é", r"\'{e}"),
        ("β Ω Α", r"$\beta$ $\Omega$ A"),
        ("数", r"\texttt{U+6570}"),
        ("ﬁ", "fi"),
        ("", ""),
    ],
)
def test_characters(text, shown):
    assert escape(text) == shown


@pytest.mark.parametrize("text", ODD)
def test_nothing_but_ascii_is_left(text):
    assert escape(text).isascii()


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
