"""The data and the checkpoint of a run, as lines for a reader."""

from collections.abc import Iterator

from qat.base.lines import wrapped
from qat.data.census import data_lines
from qat.data.in_memory import Images
from qat.run.prepared import Prepared

_OF_ALLOCATOR = {"clado": "check", "learned": "images"}
"""Allocator → its option that is a number of training images."""


def print_inputs(prepared: Prepared) -> None:
    """Print the images of each part and class, how files were read, and a checkpoint's tensors.

    Also where a number of images was asked for that the data do not have.
    """
    lines = [f"data {prepared.data.name}", *(f"  {line}" for line in data_lines(prepared.data))]
    lines += _scarcity_lines(prepared)
    if (tensors := prepared.network.checkpoint_line()) is not None:
        lines += [f"checkpoint {prepared.network.checkpoint}", f"  {tensors}"]
    for line in lines:
        print(wrapped(line, hang=4), flush=True)


def _scarcity_lines(prepared: Prepared) -> Iterator[str]:
    for key, asked, images in _drawn_images(prepared):
        if images is not None and asked > len(images):
            yield f"  {key}={asked}: takes all {len(images):,} images, there are no more"


def _drawn_images(prepared: Prepared) -> Iterator[tuple[str, int, Images | None]]:
    """Key, number of images asked for, and the images they are drawn from."""
    config, data, mode = prepared.config, prepared.data, prepared.mode
    if mode.quantizes and not mode.is_dynamic:
        yield "calibrate.images", config.calibrate.images, data.to_calibrate
    if prepared.ptq is not None and prepared.ptq.quantized_steps:
        yield "ptq_options.images", config.ptq_options.images, data.to_calibrate
    if mode.mixes and config.sensitivity.table is None:
        yield "sensitivity.images", config.sensitivity.images, data.train
    option = _OF_ALLOCATOR.get(config.allocate.name) if mode.mixes else None
    if option is not None and (asked := config.allocate.options.get(option)) is not None:
        yield f"allocate.options.{option}", asked, data.train
