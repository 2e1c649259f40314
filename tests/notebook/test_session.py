"""A request leaves the process as it was, and prints only what is wanted."""

import gc
import logging
import sys
import warnings

import pytest
import torch

from qat.base.printing import complain_line, print_line
from qat.base.progress import is_silent
from qat.notebook.errors import RunWarning
from qat.notebook.session import session


def test_without_output_complaints_become_warnings(capsys):
    with pytest.warns(RunWarning, match="^no page$") as warned, session(verbose=False):  # noqa: PT031
        print_line("a table")
        complain_line("no page")
        assert is_silent()
    assert len(warned) == 1
    assert capsys.readouterr() == ("", "")


def test_with_output_everything_is_printed(capsys):
    with session(verbose=True):
        print_line("a table")
        complain_line("no page")
        assert not is_silent()
    assert capsys.readouterr() == ("a table\n", "qat: no page\n")


@pytest.mark.parametrize("verbose", [True, False])
def test_the_process_is_as_before_also_after_an_error(verbose):
    logger = logging.getLogger("lightning.pytorch")
    logger.setLevel(logging.INFO)
    out, filters, silent = sys.stdout, list(warnings.filters), is_silent()
    torch.manual_seed(3)
    state = torch.get_rng_state()
    with pytest.raises(KeyError), session(verbose):  # noqa: PT012
        assert logger.level == logging.ERROR
        torch.manual_seed(4)
        gc.freeze()
        raise KeyError
    assert sys.stdout is out
    assert list(warnings.filters) == filters
    assert is_silent() is silent
    assert logger.level == logging.INFO
    assert torch.equal(torch.get_rng_state(), state)
    assert gc.get_freeze_count() == 0
