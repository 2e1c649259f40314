"""The page of versions, compared with the files that it comes from."""

import re

from docs._generate.pages import ROOT
from docs._generate.version import pages


def constant(path, name):
    return re.search(rf"^{name} = (\d+)$", (ROOT / path).read_text(), re.MULTILINE)[1]


def test_the_numbers_are_those_of_the_code():
    (page,) = pages()
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[
        1
    ]
    assert f"| QATLab | `{version}` |" in page.text
    assert f"| numerics | `{constant('qat/records/schema.py', 'NUMERICS_VERSION')}` |" in page.text
    assert f"| record | `{constant('qat/records/schema.py', 'SCHEMA_VERSION')}` |" in page.text
    packed = constant("qat/export/packed/versions.py", "VERSION")
    assert f"| packed file | `{packed}` |" in page.text


def test_every_extra_has_a_row():
    (page,) = pages()
    assert "| `docs` | `sphinx>=8.2`, " in page.text
    assert "| `none` | `torch>=2.11`, " in page.text
