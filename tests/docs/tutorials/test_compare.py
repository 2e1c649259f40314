"""What may differ from one run of a page to the next."""

import pytest

from docs._generate.tutorials.compare import (
    differences,
    footer,
    has_footer,
    without_footer,
)


def page(line, words="console", machine="2 threads"):
    return f"# T\n\n```{words}\n$ qat run 5\n{line}\n```\n{footer(machine)}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("done in 3.2 s", "done in 12 s"),
        ("│ latency [ms] │ 0.041 │", "│ latency [ms] │  1.2 │"),
        ("0.041 ms each", "0.39 ms each"),
        ("done in 59 s", "done in 1 min 5 s"),
        ("a long line, about 3\nmin to go", "a long line, about 66 s to\n  go"),
        ("record: runs/0a1b2c3d4e5f/run.json", "record: runs/ffee00112233/run.json"),
        ("[memory] ... 2 s\n[figures] ... 8 s\ntop-1", "[figures] ... 1 s\ntop-1"),
        ("2026-11-26 18:20:33", "2027-01-02 01:02:03"),
        ("onnxruntime 1.32.0", "onnxruntime 1.33.1"),
        ("| a   | 3 s |\n|-----|----|", "| a | 10 s |\n|---|------|"),
    ],
)
def test_times_ids_dates_and_versions_may_differ(one, other):
    assert differences(page(one), page(other)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("top-1 91.2 %", "top-1 91.3 %"),
        ("18.3 KiB", "18.4 KiB"),
        ("parity passed", "parity failed"),
        ("deadbeefs", "defaced"),
        ("a\nb", "a"),
    ],
)
def test_all_else_may_not(one, other):
    assert differences(page(one), page(other))


def test_numbers_of_a_block_that_varies_may_differ_and_its_words_may_not():
    assert (
        differences(page("1.5× as fast", "console varies"), page("2× as fast", "console varies"))
        == []
    )
    assert differences(page("a 1", "console varies"), page("b 1", "console varies"))


def test_output_of_code_varies_with_its_block():
    def text(words, number):
        return f"```python{words}\nf()\n```\n\n```text output\n{number}\n```\n"

    assert differences(text(" varies", 1), text(" varies", 2)) == []
    assert differences(text("", 1), text("", 2))


def test_commands_may_not_differ():
    assert differences(
        page("a", "console varies"), page("a", "console varies").replace("run 5", "run 6")
    )


def test_another_machine_has_other_numbers_and_the_same_words():
    assert differences(page("top-1 91", machine="AVX2"), page("top-1 90", machine="AVX512")) == []
    assert differences(page("top-1", machine="AVX2"), page("top-5", machine="AVX512")) == []
    assert differences(page("yes", machine="AVX2"), page("no", machine="AVX512"))


def test_a_footer_is_taken_off():
    text = page("a")
    assert has_footer(text)
    assert not has_footer(without_footer(text))
    assert without_footer(text) + footer("2 threads") == text
