"""The page of versions: what this checkout is, and what its files promise."""

import tomllib
from collections.abc import Iterator

from docs._generate.markdown import table
from docs._generate.pages import GENERATED, ROOT, Page
from qat import __version__
from qat.export.packed.versions import VERSION as PACKED_VERSION
from qat.records.schema import NUMERICS_VERSION, SCHEMA_VERSION

HEAD = """# Versions

The numbers of this checkout. [Changes](changelog.md) says what moved in each version.

"""
PACKAGES = """
## Packages

The bounds of `pyproject.toml`; `requirements.lock` has the exact versions that the tests ran with.

"""


def pages() -> Iterator[Page]:
    """The page of versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    numbers = table(("what", "number", "meaning"), _numbers(project["requires-python"]))
    extras = [("none", project["dependencies"]), *project["optional-dependencies"].items()]
    rows = [(f"`{extra}`", ", ".join(f"`{one}`" for one in needs)) for extra, needs in extras]
    packages = table(("extra", "packages"), rows)
    yield Page(f"{GENERATED}/version", HEAD + numbers + PACKAGES + packages)


def _numbers(python: str) -> Iterator[tuple[str, str, str]]:
    yield "QATLab", f"`{__version__}`", "commands, keys of the configuration, public names"
    yield "Python", f"`{python}`", "what it runs on"
    numerics = "in the id of a run; a new one repeats runs whose numbers moved"
    yield "numerics", f"`{NUMERICS_VERSION}`", numerics
    yield "record", f"`{SCHEMA_VERSION}`", "layout of `run.json`; older ones are read"
    yield (
        "packed file",
        f"`{PACKED_VERSION}`",
        "layout of `packed.safetensors`; older ones are read",
    )
