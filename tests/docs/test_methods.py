"""Pages of methods, compared with the files that they come from."""

import pytest

from docs._generate.methods import FOLDER, declared_rows, pages
from qat.config.yaml_files import options
from qat.ptq.registry import PTQ_METHODS
from qat.quantizers.declared import DECLARED

PAGES = {page.name: page.text for page in pages()}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("quantizers", [name for name in options("quantizer") if name != "user"]),
        ("observers", [n for n in options("observer") if n not in ("user", "default")]),
        ("steps", list(PTQ_METHODS)),
        ("allocators", [name for name in options("allocate") if name != "user"]),
    ],
)
def test_every_name_has_a_page_and_a_row(kind, names):
    index = PAGES[f"{FOLDER}/{kind}/index"]
    for name in names:
        assert f"[`{name}`]({name}.md)" in index
        assert f"\n{name} <{name}>\n" in index.partition("{toctree}")[2]
        assert PAGES[f"{FOLDER}/{kind}/{name}"].startswith(f"# `{name}`: ")
    assert len(names) == sum(name.startswith(f"{FOLDER}/{kind}/") for name in PAGES) - 1


def test_a_page_has_docstring_declaration_settings_and_class():
    text = PAGES[f"{FOLDER}/quantizers/lsq"]
    assert "v_hat = v_bar * s                               Eq. 2" in text
    assert "qat run quantizer@scheme.weight=lsq" in text
    assert "| `symmetric` | true |" in text
    assert "options: {" in text or "options:\n" in text
    assert ".. autoclass:: qat.quantizers.lsq.LSQQuantizer" in text


def test_a_step_has_its_options_by_preset():
    text = PAGES[f"{FOLDER}/steps/adaround"]
    assert "| `iterations` | `1000` | `10000` | an integer, 1 to 1000000 |" in text


def test_an_allocator_is_a_function():
    assert ".. autofunction:: qat.allocate.ilp.solve_ilp" in PAGES[f"{FOLDER}/allocators/ilp"]


def test_declared_rows_of_a_method_by_hand():
    rows = dict(declared_rows(DECLARED["dorefa"]))
    assert rows["slots"] == "weights and activations"
    assert rows["`bits`"] == "2 to 8"
    assert rows["levels"] == "codebook (weights), uniform (activations)"
    assert rows["zero is a level"] == "no"
