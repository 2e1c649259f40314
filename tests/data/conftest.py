"""What several tests of data read."""

import pytest

from tests.data.class_folders import write


@pytest.fixture
def folder(tmp_path):
    """Three classes, each with 10 images of 8 x 8 in train and 4 in test."""
    return write(tmp_path / "images")
