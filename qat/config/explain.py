"""Turn errors of Hydra and OmegaConf into one line: the wrong name, and what is allowed."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from qat.base.errors import RequestError
from qat.base.synonyms import nearest
from qat.config.keys import key_types, keys_under
from qat.config.words.types import expected
from qat.config.yaml_files import groups
from qat.data.names import torchvision_name
from qat.models.names import torchvision_names

# Type in a message of OmegaConf → the values in words, and one of them.
_CONVERTED = {
    "Integer": ("a whole number", "2"),
    "Float": ("a number", "0.5"),
    "Boolean": ("true or false", "true"),
}


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn Hydra's and OmegaConf's errors into a :class:`RequestError` of one line.

    Args:
        where: Text before the message, such as ``point seed=1: ``; may be empty.

    Raises:
        RequestError: If the block raises an error of Hydra, OmegaConf, or ``ValueError``.
    """
    try:
        yield
    except RequestError:
        raise
    except (HydraException, OmegaConfBaseException, ValueError, OverflowError) as error:
        raise RequestError(where + explain(error)) from error


def explain(error: Exception) -> str:
    """An error of Hydra or OmegaConf in one line, with the wrong name and what is allowed.

    Example:
        >>> explain(MissingMandatoryValue("data.path"))
        'data.path has no value: give data.path=VALUE'
    """
    if isinstance(error, MissingConfigException):
        return _explain_missing_option(error)
    if isinstance(error, MissingMandatoryValue):
        key = str(error).split()[-1] if "full_key" in str(error) else str(error)
        return f"{key} has no value: give {key}=VALUE"
    text = str(error)
    if isinstance(error, OverrideParseException):
        return f"cannot read {error.override!r}: {_form(str(error.override))}"
    if match := re.search(r"Ambiguous value for argument '([^']+)'", text):
        return f"{match.group(1)}: several values are a sweep, qat run -m; a list is KEY=[A,B]"
    if match := re.search(r"Sweep parameters '(.*)' requires", text):
        return f"{match.group(1)}: several values are a sweep, qat run -m"
    if "Config group override must be" in text:
        return "a group is chosen by the name of one of its files, GROUP=NAME; see qat list"
    if match := re.search(r"Could not override '([^']+)'", text):
        return _explain_key(match.group(1), text, error.__cause__)
    if "full_key:" in text:
        return _explain_full_key(text)
    if match := re.search(r"Error merging override (.*)", text):
        cause = str(error.__cause__).splitlines()[0] if error.__cause__ else ""
        return _explain_word(match.group(1).strip(), cause)
    return " ".join(text.split("\nSee https")[0].split())


def _explain_missing_option(error: MissingConfigException) -> str:
    option = error.missing_cfg_file or ""
    group, _, name = option.rpartition("/")
    if error.options:
        meant = torchvision_name(name) if group == "data" else None
        hint = nearest(name, error.options)
        if meant is not None:
            hint = f"; did you mean data=torchvision data.name={meant}?"
        return f"no {name!r} in {group}; it has {_listed(group, error.options)}{hint}"
    return " ".join(str(error).split("Config search path")[0].split())


def _explain_word(word: str, cause: str) -> str:
    """Why an override cannot be merged; Hydra types the settings of plugins itself."""
    kind = re.search(r"could not be converted to (\w+)", cause)
    if kind is None or kind.group(1) not in _CONVERTED:
        return f"{word}: {cause}"
    key, _, value = word.partition("=")
    allowed, example = _CONVERTED[kind.group(1)]
    return f"{key} must be {allowed}, got {value}: write {key}={example}"


def _form(word: str) -> str:
    """The form in which the value of an override is written."""
    key = word.partition("=")[0].lstrip("+~")
    kind = str(key_types().get(key, "")).replace("<class '", "")
    forms = {"list": "[A,B]", "dict": "{KEY: VALUE}", "int": "NUMBER", "float": "NUMBER"}
    forms |= {"bool": "true", "str": "'TEXT'"}
    form = next((form for start, form in forms.items() if kind.startswith(start)), "VALUE")
    return f"write {key or 'KEY'}={form}"


def _listed(group: str, options: Sequence[str]) -> str:
    """The options of a group; torchvision's many networks are not listed one by one."""
    networks = set(torchvision_names()) if group == "model" else set()
    words = ", ".join(option for option in options if option not in networks)
    return words + (f", and each of torchvision's {len(networks)} classifiers" if networks else "")


def _explain_key(key: str, text: str, cause: BaseException | None) -> str:
    if key.startswith("hydra."):
        return f"no key {key!r}; `qat run --cfg hydra` prints Hydra's own"
    if "@" in key or "No match in the defaults list" in text:
        slots = "quantizer and observer as GROUP@scheme.weight and GROUP@scheme.act"
        return f"no group {key!r} to choose from; groups are {', '.join(groups())}; {slots}"
    parent, _, name = key.rpartition(".")
    allowed = keys_under(parent)
    if allowed is None:
        # The parent does not exist: the message names the parent and not the leaf.
        return _explain_key(parent, text, cause) if parent else f"no key {key!r}"
    if name in allowed and cause is not None:
        return f"{key}: {str(cause).splitlines()[0]}"
    if not allowed:
        return f"{parent} is a value and holds no keys: write {parent}=VALUE"
    place = f"{parent} has" if parent else "keys are"
    return f"no key {key!r}; {place} {', '.join(allowed)}{nearest(name, allowed)}"


def _explain_full_key(text: str) -> str:
    """OmegaConf's message of several lines as one: file, key, expected type, first line."""
    match = re.search(r"full_key: (\S+)", text)
    key = match.group(1) if match else ""
    file_match = re.search(r"In '([^']+)'", text)
    file = f"{file_match.group(1)}: " if file_match else ""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("In '")]
    if re.search(r"Key '[^']*' (not in|is not in struct)", text):
        return file + _explain_key(key, "", None)
    return f"{file}{key} must be {expected(key)}: {lines[0].strip()}"
