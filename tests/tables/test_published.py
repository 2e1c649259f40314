import pytest

from qat.tables.errors import TableError
from qat.tables.layout import TableSpec
from qat.tables.published import read_published
from qat.tables.render import render
from qat.tables.table import table_from

HEADER = "model,weight_bits,act_bits,method,metric,value,source,tag\n"
LINE = 'simple_cnn,4,4,pact,top1,91.7,"Choi et al. 2018, table 2",own recipe\n'


def write(tmp_path, text):
    path = tmp_path / "published.csv"
    path.write_text(text)
    return path


def test_values_are_read_in_the_unit_that_tables_show(tmp_path):
    (one,) = read_published(write(tmp_path, "\ufeff" + HEADER + LINE))
    assert one.value == pytest.approx(0.917)
    assert one.settings == {
        "model": "simple_cnn",
        "weight_bits": "4",
        "act_bits": "4",
        "method": "pact",
    }
    assert (one.source, one.tag) == ("Choi et al. 2018, table 2", "own recipe")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("model,metric,value,source\n", "line 1.*lacks tag", id="lacks a column"),
        pytest.param(HEADER.replace("model", "modle") + LINE, "has unknown modle", id="unknown"),
        pytest.param(HEADER + LINE.replace("top1", "top9"), "line 2: unknown metric", id="metric"),
        pytest.param(HEADER + LINE.replace("91.7", "many"), "finite number, got 'many'", id="text"),
        pytest.param(HEADER + LINE.replace("91.7", "nan"), "finite number, got 'nan'", id="nan"),
        pytest.param(HEADER + LINE + LINE, "line 3: an earlier line has top1", id="twice"),
        pytest.param(HEADER + "a,b\n", "line 2: the number of cells differs", id="short line"),
        pytest.param(
            HEADER + LINE.replace('"Choi et al. 2018, table 2"', ""), "source is empty", id="source"
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, words):
    with pytest.raises(TableError, match=words):
        read_published(write(tmp_path, text))


def test_published_numbers_have_rows_of_their_own(make, tmp_path):
    published = read_published(write(tmp_path, HEADER + LINE))
    runs = [make(seed=s, metrics={"top1": 0.80 + s / 100}) for s in range(3)]
    spec = TableSpec(columns=("run", "method", "top1"), bold=("top1",))
    table = table_from(runs, spec, published)
    text = render(table)
    assert "published (own recipe) [1]" in text
    assert "91.70" in text
    assert "**91.70**" not in text
    assert "81.00 ± 1.00" in text  # not mixed with the paper's
    assert (
        "[1] published: Choi et al. 2018, table 2; trained with another recipe, never bold" in text
    )
    assert ",0.917,,0," in render(table, "csv")  # in the unit of the measured ones


def test_a_pivot_shows_them_as_rows(make, tmp_path):
    published = read_published(write(tmp_path, HEADER + LINE))
    spec = TableSpec(
        layout="pivot", rows=("method",), columns=("weight_bits", "act_bits"), values=("top1",)
    )
    text = render(table_from([make(metrics={"top1": 0.8})], spec, published))
    assert "| pact, published (own recipe) [1] |" in text.replace("  ", " ").replace("  ", " ")


PIVOT = TableSpec(
    layout="pivot", rows=("method",), columns=("weight_bits", "act_bits"), values=("top1",)
)


def test_a_number_without_a_place_is_named(make, tmp_path):
    lines = LINE + LINE.replace("4,4", "2,2") + LINE.replace("top1,91.7", "top5,99")
    published = read_published(write(tmp_path, HEADER + lines))
    table = table_from([make(metrics={"top1": 0.8})], PIVOT, published)
    assert [row.published for row in table.rows] == [False, True]
    assert table.footer[-1] == (
        "1 published, not in the table: no run has their column: top1 of simple_cnn 2 2 pact"
    )


def test_no_published_number_replaces_another(make, tmp_path):
    """Settings that a pivot does not show separate the rows of published numbers too."""
    other = LINE.replace("simple_cnn", "resnet20").replace("91.7", "92.5")
    published = read_published(write(tmp_path, HEADER + LINE + other))
    text = render(table_from([make(metrics={"top1": 0.8})], PIVOT, published))
    assert "91.70" in text
    assert "92.50" in text


def test_a_flat_table_without_a_column_of_runs_labels_published_rows(make, tmp_path):
    shown = LINE + LINE.replace("top1,91.7", "top5,99")
    published = read_published(write(tmp_path, HEADER + shown))
    spec = TableSpec(columns=("mode", "method", "top1"))
    table = table_from([make(metrics={"top1": 0.8})], spec, published)
    assert [row.cells[:2] for row in table.rows] == [
        ("qat", "lsq"),
        ("published (own recipe)", "pact"),
    ]
    only_top5 = TableSpec(columns=("mode", "loss"))
    assert len(table_from([make(metrics={"loss": 0.8})], only_top5, published).rows) == 1
