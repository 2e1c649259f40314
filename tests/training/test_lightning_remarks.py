"""Which remarks are kept from the terminal, and that others are not."""

import io
import logging
import warnings

import pytest

from qat.training.lightning_remarks import quiet


# The second one receives the lines of the first in an application that has handlers of its own.
@pytest.fixture(params=["lightning.pytorch", "lightning"])
def shown(request):
    """What a handler of Lightning's logger writes."""
    logger, stream = logging.getLogger(request.param), io.StringIO()
    handler, level = logging.StreamHandler(stream), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logger, stream
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


@pytest.mark.parametrize(
    ("text", "is_shown"),
    [
        ("`broadcast_buffers` is deprecated. Use `forward_sync_buffers` instead.", False),
        ("It is recommended to use `self.log('lr/weights', ..., sync_dist=True)` when", False),
        ("It is recommended to use `self.log('val/top1', ..., sync_dist=True)` when", True),
        ("`find_unused_parameters` is deprecated", True),
    ],
)
def test_of_ddps_remarks_those_that_say_nothing_to_a_user_are_dropped(text, is_shown):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with quiet():
            warnings.warn(text, stacklevel=1)
    assert bool(caught) is is_shown


def test_information_is_dropped_and_log_warnings_are_not(shown):
    logger, stream = shown
    with quiet():
        logger.info("GPU available: False")
        logger.warning("a real warning")
    logger.info("afterwards")
    assert stream.getvalue() == "a real warning\nafterwards\n"
