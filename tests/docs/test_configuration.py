"""The page of the configuration."""

from docs._generate.configuration import pages, section_of
from qat.config.keys import key_types
from qat.config.yaml_files import groups, options


def test_the_page_has_every_key_once_and_every_file_of_every_group():
    (page,) = pages()
    rows = [line.split(" | ")[0].strip("| `") for line in page.text.splitlines() if "|" in line]
    for key in key_types():
        assert rows.count(key) == 1, key
    for group in groups():
        if group not in ("hydra", "experiment"):
            assert set(options(group)) <= set(rows), group


def test_sections():
    assert section_of("scheme.weight.bits") == "scheme.weight"
    assert section_of("scheme.first_last") == "scheme"
    assert section_of("float.optimizer.lr") == "float"
    assert section_of("mode") == ""
