"""A hint for options of post-training steps that are written like keys: they stand in the list."""

from qat.ptq.registry import PTQ_METHODS

_PLACES = ("ptq", "ptq_options", *PTQ_METHODS)


def ptq_hint(key: str, value: str) -> str:
    """Where an option of a step is written, as a list that can be typed; empty for other keys.

    Args:
        key: As typed; it names a step, or begins with ``ptq``.
        value: As typed.

    Example:
        >>> ptq_hint("ptq_options.adaround.iterations", "200")
        "; options stand in the list of steps: ptq='[fold,{adaround:{iterations:200}}]'"
        >>> ptq_hint("optimizer.iterations", "200")
        ''
    """
    *places, option = key.split(".")
    if not places or places[0] not in _PLACES:
        return ""
    having = [name for name, method in PTQ_METHODS.items() if option in method.options]
    named = [name for name in having if name in places]
    steps = named or sorted(having, key=lambda name: PTQ_METHODS[name].stage != "rounding")
    if not steps or "," in value:
        return ""
    others = f" ({', '.join(having)} have it)" if not named and len(having) > 1 else ""
    listed = f"[fold,{{{steps[0]}:{{{option}:{value}}}}}]"
    return f"; options stand in the list of steps: ptq='{listed}'{others}"
