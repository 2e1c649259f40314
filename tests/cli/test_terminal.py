"""What a person sees in a terminal of 80 columns."""

import pytest

from tests.command_line import SMALL
from tests.terminal import in_terminal

pytestmark = pytest.mark.usefixtures("home")


def test_a_run_shows_its_stages_and_then_its_figures():
    seen = in_terminal("run", *SMALL)
    assert seen.code == 0, seen.text
    assert "float training" in seen.sent
    assert "evaluation" in seen.sent
    assert "top-1 [%]" in seen.text
    assert "━━━" not in seen.screen[-1]
    assert seen.screen[-2].startswith("record: ") or "run.json" in seen.text
