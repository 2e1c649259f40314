"""CITATION.cff: complete, and of the version of the package."""

import tomllib
from pathlib import Path

import yaml

import qat

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_has_what_the_format_requires():
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["message"]
    assert CITATION["title"].startswith("QATLab")
    assert all(author["name"] for author in CITATION["authors"])
    assert CITATION["type"] == "software"


def test_versions_and_licences_are_equal():
    assert CITATION["version"] == PROJECT["version"] == qat.__version__
    assert CITATION["license"] == PROJECT["license"]


def test_every_template_asks_for_something():
    folder = ROOT / ".github" / "ISSUE_TEMPLATE"
    for path in folder.glob("*.md"):
        _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
        assert set(yaml.safe_load(head)) == {"name", "about"}
        assert "**" in body
