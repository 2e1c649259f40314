"""The configuration of a run, as a file of its folder."""

from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from qat.base.atomic import write_atomic
from qat.base.errors import InputError
from qat.base.reading import decoded
from qat.base.text import plain_line
from qat.config.schema import RunConfig
from qat.records.file_names import CONFIG_NAME
from qat.records.schema import RunRecord
from qat.records.side_files.verified import side_file


def store_config(config: RunConfig, folder: Path) -> None:
    """Write the configuration of a run into its folder.

    Args:
        config: Of the run.
        folder: The run's folder.
    """
    write_atomic(folder / CONFIG_NAME, OmegaConf.to_yaml(OmegaConf.structured(config)))


def stored_config(folder: Path, record: RunRecord) -> tuple[RunConfig, bool]:
    """The configuration of a finished run.

    Args:
        folder: The run's folder.
        record: Its record, with the digest of the file.

    Returns:
        The configuration, and whether the record has a digest that verified it.

    Raises:
        InputError: If the file is missing, damaged, or has another digest.
    """
    path = folder / CONFIG_NAME
    try:
        file = side_file(folder, record, "config", CONFIG_NAME)
        if file is None:
            raise InputError("the file does not exist")
        stored = parsed_yaml(decoded(file.content))
        if "trainer" in stored and "memory_format" not in stored.trainer:
            stored.trainer.memory_format = "contiguous"  # before there was a choice
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(RunConfig), stored))
    except (InputError, YAMLError, OmegaConfBaseException, RecursionError) as error:
        reason = plain_line(str(error)).removeprefix(f"{path} ")
        raise InputError(
            f"{path} is missing or damaged ({reason}): run it again with force=true"
        ) from error
    assert isinstance(config, RunConfig)
    return config, file.verified


def parsed_yaml(text: str) -> DictConfig:
    """YAML text as settings.

    References are refused, since a short text with them can grow without bounds; interpolations are
    refused, since they can read the environment.

    Raises:
        InputError: If there is a reference or an interpolation, or the text is not a mapping.
        YAMLError: If the text is not YAML.
    """
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
        raise InputError("references (&, *) are in it")
    settings = OmegaConf.create(text)
    if not isinstance(settings, DictConfig):
        raise InputError("it is not a mapping")
    if "${" in text:
        raise InputError("an interpolation, ${...}, is in it, which is not resolved")
    return settings
