"""The last batch of an epoch: its size, and batch sizes with which it is large enough."""

from qat.base.errors import InputError


def smallest_batch(images: int, batch_size: int) -> int:
    """Number of images in the smallest batch of an epoch.

    Args:
        images: Images of the training split.
        batch_size: Images in every batch except the last one.

    Example:
        >>> smallest_batch(10, 4), smallest_batch(8, 4), smallest_batch(3, 4)
        (2, 4, 3)
    """
    return min(images, images % batch_size or batch_size)


def check_last_batch(key: str, images: int, batch_size: int, fewest: int, devices: int) -> None:
    """Refuse a batch size whose last batch is too small, and name a batch size that works.

    Args:
        key: Key of the batch size, such as ``trainer.batch_size``.
        images: Images of the training split.
        batch_size: The configured batch size.
        fewest: Images in the smallest batch; 0 if one image is too few for the network.
        devices: Number of devices that share each batch.

    Raises:
        ValueError: If a device would have no image, or the network needs more than one.
    """
    if fewest >= devices and fewest > 0:
        return
    last = smallest_batch(images, batch_size)
    reason = (
        f"trainer.devices={devices} cannot share"
        if last < devices
        else "batch norm over single values cannot be trained on"
    )
    better = better_size(images, batch_size, max(devices, 2))
    cure = f"set {key}={better}" if better else "give more training images"
    raise InputError(
        f"{key}={batch_size} leaves a batch of {last} of {images} training images, which {reason}: "
        f"{cure}"
    )


def better_size(images: int, batch_size: int, fewest: int) -> int | None:
    """Find the nearest batch size with which every batch has enough images.

    Args:
        images: Images of the training split.
        batch_size: The size to stay near to.
        fewest: Images that every batch must have.

    Returns:
        The batch size; None if there is none.

    Example:
        >>> better_size(129, 128, fewest=2)
        127
    """
    sizes = sorted(range(fewest, images + 1), key=lambda size: abs(size - batch_size))
    return next((size for size in sizes if smallest_batch(images, size) >= fewest), None)
