"""``sizes.json`` by hand."""

from qat.records.side_files.sizes import PartSize, SizesFile
from tests.side_files import SIZES


def test_rows_have_their_bytes_by_name():
    conv, header = SizesFile.from_data(SIZES).rows
    assert conv == PartSize("conv", "Conv2d", 4, 400, 54, 56)
    assert (header.kind, header.written_bytes) == ("header", 120)
