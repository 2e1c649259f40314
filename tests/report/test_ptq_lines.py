"""The steps of post-training quantization as lines and as a table."""

from qat.records.side_files.ptq import PtqFile
from qat.report.ptq_lines import ptq_lines, ptq_markdown
from tests.side_files import PTQ, changed

FILE = PtqFile.from_data(PTQ)


def test_the_heading_says_which_images():
    heading, *rows = ptq_lines(FILE)
    assert heading == (
        "post-training steps on 64 images; logit SQNR against the float network, top-1 of the "
        "first 200 test images; float top-1 90.00 %"
    )
    assert rows == [f"  {row.words}" for row in FILE.rows]
    unlabelled = PtqFile.from_data(changed(PTQ, ("float_top1",), None))
    assert ptq_lines(unlabelled)[0].endswith("test images")


def test_the_table_has_a_row_for_each_step():
    lines = ptq_markdown(FILE).strip().splitlines()
    assert lines[0] == "| step | network | seconds | logit SQNR [dB] | top-1 |"
    assert lines[2] == "| fold | float | 0.2 |  | 90.00 % |"
    assert lines[3].endswith("| quantized | 2.5 | 20.5 |  |")
