"""Four formats: golden small tables, escapes, every digit."""

import csv
import io
import json
from html.parser import HTMLParser

import pytest

from qat.tables.errors import TableError
from qat.tables.latex_text import escape
from qat.tables.render import render
from qat.tables.table import make_table

COLUMNS = ["run", "mode", "weight_bits", "top1", "packed_bytes", "loss"]


@pytest.fixture
def table(make):
    runs = [
        make(2, 2, 0, "static", metrics={"top1": 0.1, "packed_bytes": 5120}),
        *(
            make(4, 4, s, metrics={"top1": v, "packed_bytes": 10240})
            for s, v in [(0, 0.86), (1, 0.88)]
        ),
        make(mode="float", metrics={"top1": 0.8812, "loss": 0.34567}),
        make(3, 3, protocol={"training.max_epochs": 30}, metrics={"top1": 0.7}),
        make(3, 4, metrics={"top1": 0.7}, status="interrupted"),
    ]
    return make_table(runs, columns=COLUMNS)


# 0.86 and 0.88: mean 0.87, sample std sqrt(2 * 0.01^2 / 1) = 0.01414
MARKDOWN = """\
| run          | mode   | W [bit] |        top-1 [%] | packed size [KiB] |   loss |
| ------------ | ------ | ------- | ---------------: | ----------------: | -----: |
| float        | float  | 32      |            88.12 |                 – | 0.3457 |
| w4a4-lsq     | qat    | 4       | 87.00 ± 1.41 (2) |    10.0 ± 0.0 (2) |      – |
| w3a3-lsq [1] | qat    | 3       |            70.00 |                 – |      – |
| w2a2-lsq     | static | 2       |            10.00 |               5.0 |      – |

[1] training.max_epochs 30, others 3

cells: one value of 1 seed; (n): n values instead

1 interrupted, not in the table: run6
"""

LATEX = r"""% needs \usepackage{booktabs}
\begin{tabular}{lllrrr}
\toprule
run & mode & W [bit] & top-1 [\%] & packed size [KiB] & loss \\
\midrule
float & float & 32 & 88.12 & -- & 0.3457 \\
w4a4-lsq & qat & 4 & 87.00 $\pm$ 1.41 (2) & 10.0 $\pm$ 0.0 (2) & -- \\
w3a3-lsq\textsuperscript{1} & qat & 3 & 70.00 & -- & -- \\
w2a2-lsq & static & 2 & 10.00 & 5.0 & -- \\
\bottomrule
\end{tabular}
\par\smallskip
{\footnotesize
\textsuperscript{1} training.max\_epochs 30, others 3\par
cells: one value of 1 seed; (n): n values instead\par
1 interrupted, not in the table: run6\par
}
"""


def test_markdown(table):
    assert render(table) == MARKDOWN


def test_latex(table):
    assert render(table, "latex") == LATEX


def test_latex_without_notes_ends_with_the_tabular(make):
    text = render(make_table([make()], columns=["run"]), "latex")
    assert text.endswith("\\bottomrule\n\\end{tabular}\n")


def test_one_seed_a_row_needs_no_counts(make):
    text = render(make_table([make(metrics={"top1": 0.5})], columns=["run", "top1"]))
    assert "|     50.00 |" in text


def test_csv_has_the_numbers_of_the_records(make):
    value = 0.1 + 0.2
    runs = [make(8, metrics={"top1": value, "macs": 40_813_184}), make(4), make(4, seed=1)]
    stored = json.loads(json.dumps(runs[0].to_dict()))["metrics"]
    text = render(make_table(runs, columns=["run", "top1", "macs"]), "csv")
    first, second = csv.DictReader(io.StringIO(text))
    assert float(first["top1_mean"]) == stored["top1"] == value
    assert int(first["macs_mean"]) == stored["macs"]
    assert (first["top1_std"], first["top1_n"], first["ids"]) == ("", "1", "run1")
    assert (second["top1_mean"], second["top1_n"]) == ("", "0")
    assert (second["seeds"], second["ids"], second["notes"]) == ("0 1", "run2 run3", "")


def test_csv_has_the_notes_in_words(table):
    rows = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    assert [row["notes"] for row in rows] == ["", "", "training.max_epochs 30, others 3", ""]


class Cells(HTMLParser):
    """Collects the text of each table cell."""

    def __init__(self):
        super().__init__()
        self.cells, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag in ("td", "th"):
            self.inside = True
            self.cells.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


def test_html_has_the_same_cells(table):
    parser = Cells()
    text = render(table, "html")
    parser.feed(text)
    assert len(parser.cells) == 5 * 6
    assert parser.cells[6:12] == ["float", "float", "32", "88.12", "–", "0.3457"]
    assert parser.cells[18] == "w3a3-lsq 1"
    assert "<li>training.max_epochs 30, others 3</li>" in text


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("markdown", r"| a\|b&lt;i>&\_% |"),
        ("html", "<td>a|b&lt;i&gt;&amp;_%</td>"),
        ("latex", r"a\textbar{}b\textless{}i\textgreater{}\&\_\% \\"),
        ("csv", "a|b<i>&_%,0,run1,"),
    ],
)
def test_names_are_escaped(make, form, shown):
    table = make_table([make(study="a|b<i>&_%")], columns=["study"])
    assert shown in render(table, form)


def test_each_latex_special_is_escaped_once():
    assert escape("\\{}$#~^") == (r"\textbackslash{}\{\}\$\#\textasciitilde{}\textasciicircum{}")
    assert escape("1 ± 2 × – ≈") == r"1 $\pm$ 2 $\times$ -- $\approx$"


def test_an_unknown_format_is_refused_with_the_known_ones(table):
    with pytest.raises(TableError, match="markdown, csv, latex, html, got 'xlsx'"):
        render(table, "xlsx")


@pytest.mark.parametrize("form", ["markdown", "csv", "latex", "html"])
def test_a_table_without_rows_is_a_table(form):
    assert "run" in render(make_table([]), form)
