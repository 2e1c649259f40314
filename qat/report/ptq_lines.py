"""What each step of post-training quantization cost and brought, as lines and as a table."""

from qat.base.plurals import counted
from qat.base.text import markdown_text
from qat.records.side_files.ptq import PtqFile


def ptq_lines(file: PtqFile) -> list[str]:
    """A heading, and one line for each step of a run's ``ptq.json``."""
    reference = "" if file.float_top1 is None else f"; float top-1 {_percent(file.float_top1)}"
    tested = counted(file.test_images, "test image")
    heading = (
        f"post-training steps on {counted(file.images, 'image')}; logit SQNR against the float "
        f"network, top-1 of the first {tested}{reference}"
    )
    return [heading, *(f"  {row.words}" for row in file.rows)]


def ptq_markdown(file: PtqFile) -> str:
    """The same as a markdown table."""
    text = "\n\n| step | network | seconds | logit SQNR [dB] | top-1 |\n|---|---|---:|---:|---:|\n"
    for row in file.rows:
        sqnr = "" if row.logit_sqnr_db is None else f"{row.logit_sqnr_db:.1f}"
        top1 = "" if row.top1 is None else _percent(row.top1)
        name = f"{row.step} {row.options}".strip()
        text += f"| {markdown_text(name)} | {row.network} | {row.seconds:.1f} | {sqnr} | {top1} |\n"
    return text


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
