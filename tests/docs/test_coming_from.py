"""Pages for those who come from another library: their blocks, commands and keys."""

import re
import shlex
from pathlib import Path

import pytest
import torch

import qat
from qat.cli.main import command_parser
from qat.config.keys import choosable, is_key
from tests.export.imported_files import small, torch_encodings, written

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "coming_from").glob("*.md"))
BLOCK = re.compile(r"(<!-- not run: [^\n]+ -->\n)?```(\w+)\n(.*?)```", re.DOTALL)
KEY = re.compile(r"`((?:scheme|calibrate|observer@scheme|quantizer@scheme|sensitivity)[\w.@]*)=")
LIBRARIES = {
    "aimet": "`aimet-torch` 2.42.0",
    "brevitas": "`brevitas` 0.13.4",
    "mqbench": "`mqbench-torch2` 0.1.1",
    "nncf": "`nncf` 3.4.0",
    "torchao": "`torchao` 0.18.0",
}


def text_of(page):
    return page.read_text(encoding="utf-8")


def blocks(page):
    return [(match[1], match[2], match[3]) for match in BLOCK.finditer(text_of(page))]


def test_there_is_a_page_for_each_library():
    assert {page.stem for page in PAGES} == set(LIBRARIES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
class TestEachPage:
    def test_it_says_for_which_version_it_was_written(self, page):
        assert f"Written for {LIBRARIES[page.stem]}" in text_of(page)

    def test_it_has_words_a_way_over_and_differences(self, page):
        titles = re.findall(r"^## (.*)$", text_of(page), re.MULTILINE)
        assert titles == ["Words", "What moves over", "What is different on purpose"]

    def test_a_block_that_needs_another_library_says_so(self, page):
        for mark, language, code in blocks(page):
            assert mark, code
            assert language in ("python", "console")

    def test_commands_have_flags_and_keys_that_exist(self, page):
        for _, language, code in blocks(page):
            for line in code.splitlines() if language == "console" else ():
                words = shlex.split(line)
                assert words[0] == "qat"
                keys = [word.partition("=")[0] for word in words[2:] if "=" in word]
                assert all(is_key(key) or key in choosable() for key in keys), keys
                if words[1] == "import":
                    assert command_parser().parse_args(words[1:]).settings == words[3:]

    def test_keys_in_its_tables_exist(self, page):
        for key in KEY.findall(text_of(page)):
            assert is_key(key) or key in choosable() or "_options." in key, key


def test_the_code_of_the_page_on_imports_runs(tmp_path, monkeypatch, capsys):
    page = ROOT / "docs" / "importing.md"
    (code,) = re.findall(r"```python\n(.*?)```", text_of(page), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    written(tmp_path, torch_encodings())
    names = {"qat": qat, "net": small(), "images": torch.randn(4, 3, 8, 8)}
    exec(compile(code, str(page), "exec"), names)
    scale = names["qnet"].get_submodule("stem.input_quantizer").qparams().scale
    assert scale.item() == pytest.approx(0.03)
    assert "stem" in capsys.readouterr().out
