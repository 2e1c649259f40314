"""The points of a study: the union of one or more grids, at a scale.

A study is an experiment file with a ``study`` section::

    study:
      name: bitwidth
      grids:
        - {mode: [static, qat], scheme: [w8a8, w4a4], seed: [0, 1, 2]}
        - {mode: [float]}
      scales: {smoke: [data=synthetic, float=smoke], quick: [], paper: [data=cifar10]}

Its points are the products of each grid's axes. A word on the command line that is a value of an
axis keeps the points that have it: ``mode=float`` leaves the second grid alone. A grid without that
axis does not have the value, but any seed; and the float network stays whatever is typed of the
quantization. Another value replaces the axis, or the setting of the scale, that has the same key;
but the grid of the float network alone gets no other mode.

A grid with a list ``scales`` belongs to these scales alone. A scale may have recipes, settings for
some of its points::

      recipes:
        paper:
          - {points: [quantizer@scheme.act=pact], words: [trainer.max_epochs=200]}

A recipe's words hold for every point that has all the words of ``points``. They replace settings of
the scale and of earlier recipes, and give way to axes and to the command line.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.config.schema import StudyConfig

SCALES = "scales"
"""Key of a grid: the scales that it belongs to."""
_PLAIN = re.compile(r"[\w.@/+-]+")


def study_points(
    study: StudyConfig, scale: str, experiment: str, words: Sequence[str]
) -> list[tuple[str, ...]]:
    """The overrides of every point, each once, in the order of the grids.

    Args:
        study: The section ``study`` of the experiment's file.
        scale: One of the study's scales.
        experiment: The override that chose it, ``experiment=NAME``.
        words: The other overrides of the command line, each with a single value.

    Raises:
        ValueError: If the study has no such scale, an axis has no values, or a recipe has other
            keys than ``points`` and ``words``.

    Example:
        >>> study = StudyConfig(grids=[{"mode": ["static", "qat"]}])
        >>> study_points(study, "quick", "experiment=it", ["seed=1"])
        [('experiment=it', 'mode=static', 'seed=1'), ('experiment=it', 'mode=qat', 'seed=1')]
    """
    one_of("scale", scale, study.scales or ("quick",))
    typed = {key_of(word) for word in words}
    scaled = [word for word in study.scales.get(scale, []) if key_of(word) not in typed]
    points: dict[tuple[str, ...], None] = {}
    for grid in _kept([g for g in study.grids if scale in g.get(SCALES, [scale])], words):
        axes = {k: v for k, v in grid.items() if k != SCALES and key_of(k) not in typed}
        for chosen in itertools.product(*(_words(key, values) for key, values in axes.items())):
            taken = typed | {key_of(word) for word in chosen}
            settings = [*scaled, *_recipe_words(study.recipes.get(scale, []), [*chosen, *words])]
            last = {key_of(word): word for word in settings}
            kept = [word for key, word in last.items() if key not in taken]
            points[experiment, *kept, *chosen, *words] = None
    return list(points)


def _kept(grids: Sequence[Mapping[str, Any]], words: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """The grids that have the typed values; all grids if none has all of them."""
    typed = {key_of(word): _plain_text(word.partition("=")[2]) for word in words}
    values = [
        {key_of(key): _texts(own) for key, own in grid.items() if key != SCALES} for grid in grids
    ]
    pairs = list(zip(grids, values, strict=True))
    if typed.get("mode", "float") != "float":  # the float network alone gets no other mode
        pairs = [(grid, own) for grid, own in pairs if not _is_float(own)] or pairs
    offered = {k: text for k, text in typed.items() if any(text in v.get(k, ()) for v in values)}
    kept = [
        grid
        for grid, own in pairs
        if all(
            text in own.get(k, [text] if _has_any(own, k) else []) for k, text in offered.items()
        )
    ]
    return kept or [grid for grid, _ in pairs]


def _has_any(axes: Mapping[str, Sequence[str]], key: str) -> bool:
    """Whether a grid without the axis ``key`` has all its values, as float has, and any seed."""
    return key == "seed" or (_is_float(axes) and key != "mode")


def _is_float(axes: Mapping[str, Sequence[str]]) -> bool:
    """Whether a grid is of the float network alone."""
    return axes.get("mode") == ["float"]


def _plain_text(typed: str) -> str:
    """The text of a typed value as axes have it; Hydra writes ``False`` for a typed ``false``."""
    try:
        return override_text(yaml.safe_load(typed))
    except yaml.YAMLError:
        return typed


def _texts(values: Any) -> list[str]:
    return [
        override_text(value) for value in (values if isinstance(values, list | tuple) else [values])
    ]


def _recipe_words(
    recipes: Iterable[Mapping[str, Sequence[str]]], given: Sequence[str]
) -> Iterator[str]:
    """The words of all recipes of a point that has some words."""
    for recipe in recipes:
        if set(recipe) != {"points", "words"}:
            raise InputError(
                f"study.recipes: a recipe has the keys points and words, got {', '.join(recipe)}"
            )
        if set(recipe["points"]) <= set(given):
            yield from recipe["words"]


def key_of(word: str) -> str:
    """The key of an override, without ``+`` and ``~``.

    Example:
        >>> key_of("++data.path=it.npz")
        'data.path'
    """
    return word.partition("=")[0].lstrip("+~")


def override_text(value: Any) -> str:
    """A value as text from which Hydra's override grammar reads the same value.

    Example:
        >>> override_text([True, None, 0.5, "w8a8", "a b"])
        "[true,null,0.5,w8a8,'a b']"
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k}:{override_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(override_text, value)) + "]"
    text = str(value)
    if not isinstance(value, str) or _PLAIN.fullmatch(text):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _words(key: str, values: Iterable[Any]) -> list[str]:
    texts = _texts(values)
    if not texts:
        raise InputError(f"study.grids: axis {key} has no values; give a list, or leave it out")
    return [f"{key}={text}" for text in texts]
