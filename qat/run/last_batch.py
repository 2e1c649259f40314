"""The last batch of an epoch: what is left over, and batch sizes that leave enough."""

from qat.base.errors import InputError


def smallest_batch(images: int, batch_size: int) -> int:
    """Images in the smallest batch of an epoch."""
    return min(images, images % batch_size or batch_size)


def check_last_batch(key: str, images: int, batch_size: int, fewest: int, devices: int) -> None:
    """Refuse a last batch that cannot be trained on, with a batch size that leaves a larger one.

    Args:
        key: Of the batch size.
        images: Of the training split.
        batch_size: As asked for.
        fewest: Images in the smallest batch; 0 if one image is too few for the network.
        devices: That share each batch.

    Raises:
        ValueError: If a device would have no image of it, or the network needs more than one.
    """
    if fewest >= devices and fewest > 0:
        return
    rest = smallest_batch(images, batch_size)
    reason = (
        f"trainer.devices={devices} cannot share"
        if rest < devices
        else "batch norm over single values cannot be trained on"
    )
    better = better_size(images, batch_size, max(devices, 2))
    cure = f"set {key}={better}" if better else "give more training images"
    raise InputError(
        f"{key}={batch_size} leaves a batch of {rest} of {images} training images, which {reason}: "
        f"{cure}"
    )


def better_size(images: int, batch_size: int, fewest: int) -> int | None:
    """The batch size nearest to one that leaves so many images in every batch; None for none."""
    sizes = sorted(range(fewest, images + 1), key=lambda size: abs(size - batch_size))
    return next((size for size in sizes if smallest_batch(images, size) >= fewest), None)
