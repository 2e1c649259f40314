"""Parts of a page."""

import pytest

from docs._generate.tutorials.page import (
    Command,
    Kind,
    PageError,
    commands,
    images,
    read_parts,
    with_captions,
)

PAGE = """# Title

```console
$ qat run
old
$ qat run a=1 \\
    b=2  # exit code 2
qat: no
```

<!-- run
$ echo hidden
-->

```python varies
print(1)
```

```text output
1
```

```yaml conf/mine.yaml
a: 1
```

```console not run: needs a cluster
sbatch it
```

```{toctree}
a
```

```text
plain
```

![figure](name/a.svg)
"""


def test_kinds_of_parts_and_their_text():
    parts = read_parts(PAGE)
    assert "".join(part.text for part in parts) == PAGE
    assert [part.kind for part in parts if part.kind is not Kind.PROSE] == [
        *(Kind.CONSOLE, Kind.HIDDEN, Kind.PYTHON, Kind.OUTPUT, Kind.FILE),
        *(Kind.NOT_RUN, Kind.NOT_RUN, Kind.NOT_RUN),
    ]
    assert [part.kind for part in parts if part.varies] == [Kind.PYTHON]
    assert next(part.body for part in parts if part.kind is Kind.FILE) == "a: 1\n"


def test_commands_without_their_output():
    console, hidden = (p for p in read_parts(PAGE) if p.kind in (Kind.CONSOLE, Kind.HIDDEN))
    assert commands(console) == [
        Command("qat run"),
        Command("qat run a=1 \\\n    b=2  # exit code 2", exit_code=2),
    ]
    assert commands(hidden) == [Command("echo hidden")]


def test_an_empty_block_has_no_commands():
    assert commands(read_parts("```console\n```\n")[0]) == []


def test_a_command_needs_its_prompt():
    with pytest.raises(PageError, match="begins with"):
        commands(read_parts("```console\nqat run\n```\n")[0])


@pytest.mark.parametrize("words", ["console vary", "python /etc/x.py", "yaml ../x.yaml", "text no"])
def test_words_that_mean_nothing_are_refused(words):
    with pytest.raises(PageError, match="may be"):
        read_parts(f"```{words}\nx\n```\n")


def test_a_block_that_is_not_run_needs_a_reason():
    with pytest.raises(PageError, match="REASON"):
        read_parts("```console not run:\nx\n```\n")


def test_images_of_the_prose_alone():
    assert images(read_parts(PAGE + "```text\n![no](b.svg)\n```\n")) == ["name/a.svg"]


def test_only_files_get_a_caption():
    shown = with_captions(PAGE)
    assert "```{code-block} yaml\n:caption: conf/mine.yaml\n\na: 1\n```\n" in shown
    assert shown.count("code-block") == 1
