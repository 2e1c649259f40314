"""The gallery, from small texts and from the committed studies."""

import pytest

from docs._generate.gallery import EXPERIMENTS, FOLDER, NO_ANSWER, answer, pages, question

PAGES = {page.name: page.text for page in pages()}
STUDIES = [path.parent.name for path in EXPERIMENTS.glob("*/README.md")]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("**Answer:** 8 bits cost\nnothing. 4 bits do.\n\nMore.", "8 bits cost nothing."),
        ("**Answer:** [table.md](table.md). At 0.5 points. Or so.", "At 0.5 points."),
        ("**Answer:** see [table.md](table.md). 8 bits lose 1.9 %. More.", "8 bits lose 1.9 %."),
        ("**Answer.** With bold. More", "With bold."),
        ("**Answer:** [t](t.md).\n\n- **4 bits.** They lose 2 dB. More.", "They lose 2 dB."),
        ("**Answer:** 3.5 bits keep 55.9 %.\n\n- **4 bits.** More.", "3.5 bits keep 55.9 %."),
        ("no answer", ""),
    ],
)
def test_the_answer_is_one_sentence(text, first):
    assert answer(text) == first


def test_questions():
    assert question("**Question:** Which\none?\n\nText") == "Which one?"
    assert question("**Questions:** One? Two?") == "One? Two?"
    assert question("none") == ""


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_a_page_and_a_row_with_question_and_answer(name):
    assert f"{FOLDER}/{name}" in PAGES
    (row,) = [line for line in PAGES[f"{FOLDER}/index"].splitlines() if f"]({name}.md) |" in line]
    _, study_question, study_answer = row.strip("| ").split(" | ")
    assert study_question
    assert study_answer


def test_a_page_has_tables_and_figures_of_its_folder():
    text = PAGES[f"{FOLDER}/precision_formats"]
    table = (EXPERIMENTS / "precision_formats" / "table.md").read_text()
    assert table.splitlines()[0] in text
    assert "## Table: precision_kinds" in text
    assert "../../../experiments/precision_formats/figures/accuracy_bits.svg" in text


def test_a_study_without_a_table_says_so():
    assert NO_ANSWER == "not run as a whole yet"
    for name in STUDIES:
        if not (EXPERIMENTS / name / "table.md").is_file():
            assert "## Table\n" not in PAGES[f"{FOLDER}/{name}"]
