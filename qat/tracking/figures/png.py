"""A figure as the content of a PNG file, for the files of a run and for its TensorBoard page."""

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from qat.tracking.figures.text import show_as_text

PAGE_DPI, FILE_DPI = 100, 150
"""Dots an inch of a figure that only a page shows, and of one that is also a file."""


def png(figure: Figure, dpi: float = PAGE_DPI) -> bytes:
    """Draw a figure once; the same figure always gives the same bytes.

    ``figure.savefig`` gives the same pixels, but it draws a figure with a computed layout twice,
    and stores an opacity for each pixel.

    Args:
        figure: To draw.
        dpi: Dots an inch.

    Example:
        >>> png(Figure(figsize=(1, 1)))[1:4]
        b'PNG'
    """
    show_as_text(figure)
    usual, content = figure.dpi, BytesIO()
    canvas = FigureCanvasAgg(figure)
    figure.dpi = dpi
    try:
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    finally:
        figure.dpi = usual
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, "PNG", dpi=(dpi, dpi))
    return content.getvalue()
