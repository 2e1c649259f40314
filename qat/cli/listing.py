"""``qat list``: the names there are to choose from, read off the YAML files."""

from qat.cli.configs import groups, options, summary
from qat.cli.errors import DONE

_GROUP_OF = {
    "models": "model",
    "data": "data",
    "quantizers": "quantizer",
    "observers": "observer",
    "schemes": "scheme",
    "experiments": "experiment",
}


def list_command(topic: str | None) -> int:
    """Print one topic, or all."""
    for name in [topic] if topic else [*_GROUP_OF, "groups"]:
        print(f"{name}:")
        for line in _lines(name):
            print(f"  {line}")
    return DONE


def _lines(topic: str) -> list[str]:
    if topic == "groups":
        return groups()
    group = _GROUP_OF[topic]
    width = max(len(name) for name in options(group))
    return [f"{name:<{width}}  {summary(group, name)}".rstrip() for name in options(group)]
