"""Hide those remarks of Lightning that need no action of the user."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Each remark is about something that is intended.
_REMARKS = (
    r".*have no `val_dataloader`.*",  # there may be no validation split
    r".*does not have many workers.*",  # batches are made in this process, on purpose
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",  # a call in Lightning, for torch 2.15
    r".*`srun` command is available on your system but is not used.*",  # fit starts its own
    r".*GPU available but not used.*",  # trainer.accelerator=cpu was set
    r".*`broadcast_buffers` is deprecated.*",  # its successor still sends them once
    r".*use `self\.log\('lr/.*sync_dist=True.*",  # all processes have the same rate
)
_LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric")


class _NoInfo(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the remarks above and log lines below warnings, such as "GPU available: ..."."""
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
