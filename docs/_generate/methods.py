"""Pages of quantizers, observers, post-training steps and allocators, from their files.

Each page has the docstring of the method's file, what it declares, the papers that it cites, its
YAML file and its class.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from docs._generate.markdown import from_docstring, prose, table
from docs._generate.pages import GENERATED, Page, contents
from docs._generate.references import entries, keys, without_keys
from qat.allocate.registry import ALLOCATORS
from qat.config.yaml_files import files, summary
from qat.observers.registry import OBSERVERS
from qat.ptq.registry import PTQ_METHODS, STAGES, PtqMethod
from qat.quantizers.declared import DECLARED, Declaration, ranges

SLOT_WORDS = {"weight": "weights", "act": "activations"}
FOLDER = f"{GENERATED}/methods"


def pages() -> Iterator[Page]:
    """One page for each method, and one for each kind of method."""
    yield from _quantizers()
    yield from _observers()
    yield from _steps()
    yield from _allocators()


def _quantizers() -> Iterator[Page]:
    paths = {name: path for name, path in files("quantizer").items() if name in DECLARED}
    rows = []
    for name, path in paths.items():
        declared = DECLARED[name]
        use = [f"quantizer@scheme.{slot}={name}" for slot in declared.slots]
        facts = table(("property", "values"), declared_rows(declared))
        yield _page("quantizers", name, declared.home, use, facts, path)
        slots = ", ".join(SLOT_WORDS[slot] for slot in declared.slots)
        rows.append(
            (_link(name), slots, ranges(declared.bits), _levels(declared), declared.learns or "–")
        )
    header = ("quantizer", "slots", "bits", "levels", "learns")
    about = "How values are rounded. [Which one when](../../../methods.md) is a page of its own."
    yield _index("quantizers", about, header, rows)


def declared_rows(declared: Declaration) -> Iterator[tuple[str, str]]:
    """What a quantizer declares, as rows.

    Example:
        >>> dict(declared_rows(DECLARED["pact"]))["`granularity`"]
        'tensor or channel'
    """
    yield "paper", prose(declared.paper)
    yield "slots", " and ".join(SLOT_WORDS[slot] for slot in declared.slots)
    yield "`bits`", ranges(declared.bits)
    yield "`format`", ranges((*declared.formats, *declared.float_formats))
    yield "`granularity`", ranges(declared.granularities)
    for field in ("symmetric", "signed", "narrow"):
        yield f"`{field}`", ranges(getattr(declared, field))
    yield "`scale`", ranges(declared.scales)
    yield "`placement`", ranges(declared.placements)
    yield "levels", _levels(declared)
    yield "zero is a level", "yes" if declared.keeps_zero else "no"
    yield "training learns", declared.learns or "nothing beside the weights"
    yield "reads its observer", "no" if declared.ignores_observer else "yes"


def _levels(declared: Declaration) -> str:
    kinds = {declared.levels_in(slot): SLOT_WORDS[slot] for slot in declared.slots}
    if len(kinds) == 1:
        return next(iter(kinds))
    return ", ".join(f"{levels} ({slot})" for levels, slot in kinds.items())


def _observers() -> Iterator[Page]:
    homes = _homes(OBSERVERS)
    rows = []
    for name, path in files("observer").items():
        if name in homes:
            use = [f"observer@scheme.{slot}={name}" for slot in SLOT_WORDS]
            yield _page("observers", name, homes[name], use, "", path)
            rows.append((_link(name), prose(summary(path))))
    about = "How the range of a tensor follows from its values: [ranges](../../../calibration.md)."
    yield _index("observers", about, ("observer", "range"), rows)


def _steps() -> Iterator[Page]:
    for name, method in PTQ_METHODS.items():
        yield _page("steps", name, method.home, [f"ptq=[{name}]"], _step_facts(method), None)
    rows = [
        (_link(name), f"{m.kind} network", prose(m.does), prose(m.paper))
        for name, m in PTQ_METHODS.items()
    ]
    about = "Steps without training: [how to combine them](../../../ptq.md)."
    yield _index("steps", about, ("step", "changes the", "what it does", "paper"), rows)


def _step_facts(method: PtqMethod) -> str:
    facts = [
        ("does", prose(method.does)),
        ("paper", prose(method.paper or "–")),
        ("changes the", f"{method.kind} network"),
        ("stage", f"{method.stage}: {STAGES[method.stage]}"),
    ]
    options = [
        (f"`{name}`", _word(option.value("quick")), _word(option.value("paper")), option.words())
        for name, option in method.options.items()
    ]
    text = table(("property", "values"), facts)
    if options:
        text += "\n" + table(("option", "`quick`", "`paper`", "allowed"), options)
    return text


def _allocators() -> Iterator[Page]:
    homes = _homes(ALLOCATORS)
    rows = []
    for name, path in files("allocate").items():
        if name in homes:
            yield _page("allocators", name, homes[name], [f"allocate={name}"], "", path)
            rows.append((_link(name), prose(summary(path))))
    about = "How each layer gets its width: [mixed precision](../../../mixed.md)."
    yield _index("allocators", about, ("allocator", "what it does"), rows)


def _homes(registry: Mapping[str, Any]) -> dict[str, str]:
    """Name → ``module:object`` of the entries of a registry."""
    entries = {name: registry[name] for name in registry}
    return {name: f"{entry.__module__}:{entry.__qualname__}" for name, entry in entries.items()}


def _page(
    kind: str, name: str, home: str, use: Iterable[str], facts: str, yaml: Path | None
) -> Page:
    """The page of one method.

    Args:
        kind: Its folder.
        name: Of the method.
        home: ``module:object``.
        use: Words of the command line that choose it.
        facts: Tables of what it declares.
        yaml: Its file of settings; None if it has none.
    """
    module, _, member = home.partition(":")
    docstring = import_module(module).__doc__ or name
    title, _, body = without_keys(docstring).partition("\n")
    parts = [f"# `{name}`: {prose(title).rstrip('.')}", _fence("console", _commands(use))]
    parts += [facts, from_docstring(body), _papers(docstring)]
    if yaml is not None:
        words = yaml.read_text(encoding="utf-8")
        parts += ["## Settings", f"`conf/{yaml.parent.name}/{yaml.name}`:", _fence("yaml", words)]
    directive = "autoclass" if isinstance(_member(module, member), type) else "autofunction"
    parts += ["## In Python", _fence("{eval-rst}", f".. {directive}:: {module}.{member}")]
    return Page(f"{FOLDER}/{kind}/{name}", "\n\n".join(filter(None, parts)) + "\n")


def _papers(docstring: str) -> str:
    """The BibTeX of the papers that a docstring cites; empty if it cites none."""
    cited = keys(docstring)
    if not cited:
        return ""
    known = entries()
    return "## Cite\n\n" + _fence("bibtex", "\n\n".join(known[key] for key in cited))


def _member(module: str, name: str) -> object:
    return getattr(import_module(module), name)


def _commands(use: Iterable[str]) -> str:
    return "\n".join(f"qat run {words}" for words in use)


def _index(kind: str, about: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Page:
    names = [row[0].partition("]")[0].strip("[`") for row in rows]
    title = {"steps": "Post-training steps"}.get(kind, kind.capitalize())
    text = "\n".join(
        [
            f"# {title}\n",
            f"{about}\n",
            table(header, rows),
            contents(f"{name} <{name}>" for name in names),
        ]
    )
    return Page(f"{FOLDER}/{kind}/index", text)


def _link(name: str) -> str:
    return f"[`{name}`]({name}.md)"


def _fence(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```"


def _word(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
