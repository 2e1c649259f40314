"""Which remarks are kept from the terminal, and that others are not."""

import io
import logging
import warnings

import pytest

from qat.training.lightning_remarks import quiet


@pytest.fixture
def shown():
    """What a handler of Lightning's logger writes."""
    logger, stream = logging.getLogger("lightning.pytorch"), io.StringIO()
    handler, level = logging.StreamHandler(stream), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_known_remarks_are_dropped_and_other_warnings_are_not():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with quiet():
            warnings.warn("The 'train_dataloader' does not have many workers", stacklevel=1)
            warnings.warn("the loss is strange", stacklevel=1)
        warnings.warn("The 'train_dataloader' does not have many workers", stacklevel=1)
    words = [str(warning.message).rpartition(" ")[2] for warning in caught]
    assert words == ["strange", "workers"]


def test_information_is_dropped_and_log_warnings_are_not(shown):
    logger = logging.getLogger("lightning.pytorch")
    with quiet():
        logger.info("GPU available: False")
        logger.warning("a real warning")
    logger.info("afterwards")
    assert shown.getvalue() == "a real warning\nafterwards\n"
