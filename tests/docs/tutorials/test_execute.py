"""A page is run, and gets the output of this run."""

import os
import subprocess
import sys

import pytest

from docs._generate.pages import ROOT
from docs._generate.tutorials.execute import TutorialError, environment, executed
from docs._generate.tutorials.page import PageError

PAGE = """# Title

```python net.py
width = 3
```

```console
$ cat net.py
$ false  # exit code 1
```

```python
import pathlib
pathlib.Path("net.py").read_text()
```

Prose.

```python
x = 1
```

```console not run: needs a cluster
$ sbatch
```
"""
RUN = """# Title

```python net.py
width = 3
```

```console
$ cat net.py
width = 3
$ false  # exit code 1
```

```python
import pathlib
pathlib.Path("net.py").read_text()
```

```text output
'width = 3\\n'
```

Prose.

```python
x = 1
```

```console not run: needs a cluster
$ sbatch
```
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(text, folder):
    return executed(text, folder, report=lambda line: None)


def test_output_is_put_below_commands_and_code(folder):
    assert run(PAGE, folder) == RUN


def test_a_second_run_changes_nothing(folder):
    assert run(RUN, folder) == RUN
    assert run(RUN.replace("'width", "'old"), folder) == RUN


def test_output_that_is_no_longer_printed_is_deleted(folder):
    silent = RUN.replace(".read_text()\n", ".read_text();x = 1\n")
    page = run(silent, folder)
    assert "text output" not in page
    assert run(page, folder) == page


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("```console\n$ false\n```\n", "exit code 1; the page says 0"),
        ("```console\n$ true  # exit code 2\n```\n", "exit code 0; the page says 2"),
        ("<!-- run\n$ false\n-->\n", "exit code 1"),
        ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
    ],
)
def test_a_failure_that_the_page_does_not_name_is_an_error(block, message, folder):
    with pytest.raises(TutorialError, match=message):
        run(block, folder)


def test_output_that_looks_like_a_command_is_refused(folder):
    with pytest.raises(PageError, match="looks like a command"):
        run("```console\n$ echo '$ x'\n```\n", folder)


def test_no_folder_of_this_machine_is_on_the_page(folder):
    page = run(f"```console\n$ pwd; echo {ROOT}/qat\n```\n", folder)
    assert (
        page == f"```console\n$ pwd; echo {ROOT}/qat\n/home/me/{folder.name}\nCHECKOUT/qat\n```\n"
    )


def test_the_environment_is_of_this_checkout_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("QAT_RUNS", "elsewhere")
    code = "import os, qat; print(qat.__file__, os.environ.get('QAT_RUNS'))"
    python = [sys.executable, "-c", code]
    done = subprocess.run(python, env=environment(), cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == [os.fspath(ROOT / "qat" / "__init__.py"), "None"]
