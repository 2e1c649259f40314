"""Keep Lightning's remarks that ask nothing of the user away from the terminal."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Each is a remark on what is meant to be so.
_REMARKS = (
    r".*have no `val_dataloader`.*",  # there may be no validation split
    r".*does not have many workers.*",  # batches are made in this process, on purpose
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",  # Lightning's own, against torch 2.15
    r".*`srun` command is available on your system but is not used.*",  # fit starts its own
    r".*GPU available but not used.*",  # trainer.accelerator=cpu says so
)
_LOGGERS = ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero")


class _NoInfo(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


@contextmanager
def quiet() -> Iterator[None]:
    """Drop the remarks above, and informative log lines ("GPU available: ..."); no warnings."""
    handlers = {handler for name in _LOGGERS for handler in logging.getLogger(name).handlers}
    no_info = _NoInfo()
    with warnings.catch_warnings():
        for remark in _REMARKS:
            warnings.filterwarnings("ignore", message=remark)
        for handler in handlers:
            handler.addFilter(no_info)
        try:
            yield
        finally:
            for handler in handlers:
                handler.removeFilter(no_info)
