"""Settings that all points of a figure share: its title has them, its labels do not."""

from collections.abc import Mapping, Sequence
from itertools import takewhile

Settings = Mapping[str, str | None]


def shared_settings(settings: Sequence[Settings]) -> dict[str, str]:
    """Method, mode and leading post-training steps that all points share.

    Args:
        settings: Of the quantized points of a figure.

    Returns:
        Name → text, for those that are shared. Of post-training steps, each point keeps one at
        least.

    Example:
        >>> steps = ("fold, nearest", "fold, adaround")
        >>> shared_settings([{"method": "lsq", "mode": "static", "ptq": own} for own in steps])
        {'method': 'lsq', 'mode': 'static', 'ptq': 'fold'}
    """
    if len(settings) < 2:
        return {}
    shared = {name: value for name in ("method", "mode") if (value := _one(settings, name))}
    steps = [(own["ptq"] or "").split(", ") for own in settings]
    places = zip(*(own[:-1] for own in steps), strict=False)
    leading = [place[0] for place in takewhile(lambda place: len(set(place)) == 1, places)]
    return shared | ({"ptq": ", ".join(leading)} if leading else {})


def without_shared(settings: Settings, shared: Settings) -> dict[str, str | None]:
    """The settings, None for those that are shared, and the post-training steps after shared ones.

    Args:
        settings: Of a point.
        shared: From :func:`shared_settings`.
    """
    own = {name: None if name in shared else value for name, value in settings.items()}
    steps, leading = settings.get("ptq"), shared.get("ptq")
    return own | ({"ptq": steps.removeprefix(f"{leading}, ")} if steps and leading else {})


def shared_text(shared: Settings) -> str:
    """The words for a title.

    Example:
        >>> shared_text({"method": "minmax", "mode": "static", "ptq": "fold"})
        'minmax static, fold'
    """
    method = " ".join(text for name in ("method", "mode") if (text := shared.get(name)))
    return ", ".join(text for text in (method, shared.get("ptq")) if text)


def _one(settings: Sequence[Settings], name: str) -> str | None:
    values = {own[name] for own in settings}
    return values.pop() if len(values) == 1 else None
