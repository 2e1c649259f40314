"""Tables of contents: every page by hand is in one, so that it is in the navigation."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_every_page_is_in_a_table_of_contents():
    texts = [path.read_text() for path in DOCS.glob("*.md")]
    trees = [tree for text in texts for tree in re.findall(r"```\{toctree\}\n(.*?)```", text, re.S)]
    listed = {line for tree in trees for line in tree.splitlines() if line[:1] not in ("", ":")}
    missing = {path.stem for path in DOCS.glob("*.md")} - listed - {"index"}
    assert not missing, f"add to the contents of docs/howto.md: {missing}"
