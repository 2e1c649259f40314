"""The check of a built site, on a site of three files."""

import pytest

from docs._generate.site_links import dead_links, main

GOOD = '<a href="b.html#part">b</a><a href="#top">top</a><a href="https://example.org/x">out</a>'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.html").write_text('<h1 id="part">B</h1><img src="sub/p%20q.png">')
    (tmp_path / "sub" / "p q.png").write_bytes(b"")
    (tmp_path / "sub" / "index.html").write_text('<a href="../b.html">b</a><a href="./">here</a>')
    (tmp_path / "index.html").write_text(GOOD)
    return tmp_path


def test_a_whole_site_has_no_dead_link(site, capsys):
    assert list(dead_links(site)) == []
    assert main([str(site)]) == 0
    assert "3 pages, 0 dead links" in capsys.readouterr().out


@pytest.mark.parametrize("link", ["c.html", "b.html#other", "sub/none.png", "#nowhere"])
def test_a_dead_link_is_named_with_its_page(site, link, capsys):
    (site / "index.html").write_text(f'{GOOD}<a href="{link}">x</a>')
    assert list(dead_links(site)) == [f"index.html: {link}"]
    assert main([str(site)]) == 1
    assert f"index.html: {link}" in capsys.readouterr().err
