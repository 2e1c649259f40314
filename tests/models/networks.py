"""Networks by name, and their size."""

from qat.models.build import build_model


def build(source, name, classes=10, channels=3, size=32, seed=0, **options):
    sizes = {"classes": classes, "in_channels": channels, "image_size": size}
    return build_model(source, name, **sizes, options=options, seed=seed)


def count(net):
    return sum(p.numel() for p in net.parameters())
