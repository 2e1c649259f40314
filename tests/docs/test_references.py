"""Papers of the methods: each is an entry, and each entry is cited."""

import ast
import re

import pytest

from docs._generate.methods import FOLDER
from docs._generate.methods import pages as method_pages
from docs._generate.pages import ROOT
from docs._generate.references import BIB, cited_by, entries, fields, keys, pages, without_keys
from qat.allocate.registry import ALLOCATORS
from qat.observers.registry import OBSERVERS
from qat.ptq.registry import PTQ_METHODS
from qat.quantizers.declared import DECLARED
from qat.sensitivity.registry import METRICS

WITHOUT_A_PAPER = {
    *("dynamic", "minmax", "latest", "nearest", "threshold", "greedy", "remeasure"),
    *("accuracy_drop", "loss_increase", "output_sqnr", "output_kl"),
    *("weight_mse", "gradient", "fisher"),
}
METRIC_FILES = {"hessian": "qat.sensitivity.hessian"}
AIDS = ("averaging", "bins", "dampening", "distillation", "freezing")
ROOMS = ("quantizers", "observers", "ptq", "allocate", "sensitivity", "training/aids")
FILES = [path for room in ROOMS for path in sorted((ROOT / "qat" / room).glob("*.py"))]


def docstring(path):
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=False) or ""


def modules():
    """``(name, module)`` of every method."""
    for name, method in {**DECLARED, **PTQ_METHODS}.items():
        yield name, method.home.partition(":")[0]
    for registry in (OBSERVERS, ALLOCATORS):
        for name in registry:
            yield name, registry[name].__module__
    for name in METRICS:
        yield name, METRIC_FILES.get(name, "qat.sensitivity.metrics")
    for name in AIDS:
        yield name, f"qat.training.aids.{name}"


METHODS = sorted(set(modules()))


@pytest.mark.parametrize(("name", "module"), METHODS, ids=[".".join(m) for m in METHODS])
def test_every_method_cites_its_papers(name, module):
    cited = keys(docstring(ROOT / f"{module.replace('.', '/')}.py"))
    assert set(cited) <= set(entries())
    assert cited or name in WITHOUT_A_PAPER


def test_every_aid_of_training_is_looked_at():
    folder = ROOT / "qat/training/aids"
    papers = [p.stem for p in folder.glob("*.py") if re.search(r"(19|20)\d\d", docstring(p))]
    assert sorted(papers) == sorted(AIDS)


def test_every_entry_is_cited_by_a_file():
    assert set(cited_by()) == set(entries())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_paper_that_a_docstring_names_is_one_that_it_cites(path):
    text = docstring(path)
    cited = {fields(entries()[key]).get("eprint") for key in keys(text)}
    assert set(re.findall(r"arXiv:(\d{4}\.\d{4,5})", text)) <= cited


@pytest.mark.parametrize("name", [*DECLARED, *PTQ_METHODS])
def test_a_declared_paper_is_one_that_the_file_cites(name):
    method = {**DECLARED, **PTQ_METHODS}[name]
    cited = keys(docstring(ROOT / f"{method.home.partition(':')[0].replace('.', '/')}.py"))
    known = [fields(entries()[key]) for key in cited]
    for number in re.findall(r"arXiv:(\d{4}\.\d{4,5})", method.paper):
        (paper,) = [one for one in known if one.get("eprint") == number]
        surname = re.match(r"\w+", method.paper)[0]
        assert paper["author"].startswith(f"{surname},")


@pytest.mark.parametrize("key", entries())
def test_an_entry_is_complete_and_has_the_key_of_its_author_and_year(key):
    paper = fields(entries()[key])
    assert {"title", "author", "year"} <= set(paper)
    assert {"booktitle", "journal", "howpublished", "eprint"} & set(paper)
    surname = paper["author"].partition(",")[0].lower()
    assert re.fullmatch(rf"{surname}{paper['year']}[a-z0-9]+", key)
    assert ("eprint" in paper) == ("archiveprefix" in paper)


def test_the_file_has_nothing_but_entries_and_is_in_order():
    text = BIB.read_text(encoding="utf-8")
    assert text.count("\n@") == len(entries())
    assert list(entries()) == sorted(entries())
    assert all(entry.count("{") == entry.count("}") for entry in entries().values())


def test_a_page_of_a_method_shows_its_entries_and_no_keys():
    text = {page.name: page.text for page in method_pages()}[f"{FOLDER}/quantizers/sign"]
    for key in ("rastegari2016xnor", "courbariaux2016bnn"):
        assert entries()[key] in text
    assert "Cites:" not in text


def test_the_page_of_papers_has_a_row_for_each():
    (page,) = pages()
    assert "| `chan1983variance` | Chan et al. 1983, Algorithms for Computing" in page.text
    assert page.text.count("\n| `") == len(entries())


def test_keys_of_a_docstring_by_hand():
    text = "A.\n\nB: see x.\n\nCites: a1b, c2d,\ne3f.\n"
    assert keys(text) == ("a1b", "c2d", "e3f")
    assert without_keys(text) == "A.\n\nB: see x.\n"
    assert keys("It cites nothing.\n") == ()
