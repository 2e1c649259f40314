"""The names of networks, data sets, schemes and studies, and the metrics of a record."""

from collections.abc import Iterator

from docs._generate.markdown import prose, table
from docs._generate.pages import GENERATED, Page
from qat.config.yaml_files import files, summary
from qat.records.metrics import METRICS
from qat.sensitivity.registry import METRICS as SENSITIVITIES

HEAD = """# Names and metrics

What `qat list` prints, generated from the same files.

"""
TOPICS = {
    "Networks": "model",
    "Data sets": "data",
    "Schemes": "scheme",
    "Experiments and studies": "experiment",
}
BETTER = {True: "higher", False: "lower", None: "–"}


def pages() -> Iterator[Page]:
    """The page of names and metrics."""
    yield Page(f"{GENERATED}/names", HEAD + "\n".join(_sections()))


def _sections() -> Iterator[str]:
    for title, group in TOPICS.items():
        rows = [(f"`{group}={name}`", prose(summary(p))) for name, p in files(group).items()]
        yield f"## {title}\n"
        yield table(("name", "content"), rows)
    yield "## Metrics of a record\n"
    yield "The record stores fractions, bytes and milliseconds; tables show them in these units.\n"
    metrics = [(f"`{n}`", m.label, m.unit, BETTER[m.higher_is_better]) for n, m in METRICS.items()]
    yield table(("metric", "label in tables", "unit in tables", "better"), metrics)
    yield "## Sensitivity metrics\n"
    rows = [(f"`{name}`", SENSITIVITIES[name].unit) for name in SENSITIVITIES]
    yield table(("`sensitivity.metric`", "unit"), rows)
