"""Whether a composed configuration has the types of the schema already, so that none is merged."""

from dataclasses import is_dataclass

from omegaconf import Container, DictConfig, ListConfig, Node, OmegaConf


def is_of_schema(config: Container, schema: Container) -> bool:
    """Whether every key is one of the schema's, and has its type, down to values and free mappings.

    Keys that were added with ``+``, and lists of dataclasses with elements, are not looked into.

    Args:
        config: As composed.
        schema: The structured configuration of its dataclass.

    Returns:
        True if OmegaConf has checked each value against the schema when it was set.

    Example:
        >>> from qat.config.schema import StudyConfig
        >>> schema = OmegaConf.structured(StudyConfig)
        >>> is_of_schema(schema, schema), is_of_schema(OmegaConf.create({"name": "a"}), schema)
        (True, False)
    """
    if OmegaConf.get_type(config) is not OmegaConf.get_type(schema):
        return False
    assert isinstance(config, DictConfig)
    assert isinstance(schema, DictConfig)
    if config._is_none() or config._is_missing() or config._is_interpolation():
        return False
    if set(config.keys()) != set(schema.keys()):
        return False
    return all(_is_typed(config._get_node(key), schema._get_node(key)) for key in schema)


def _is_typed(node: object, schema: object) -> bool:
    assert isinstance(node, Node)
    assert isinstance(schema, Node)
    if isinstance(schema, DictConfig) and is_dataclass(OmegaConf.get_type(schema)):
        return isinstance(node, DictConfig) and is_of_schema(node, schema)
    if isinstance(schema, ListConfig) and is_dataclass(schema._metadata.element_type):
        return isinstance(node, ListConfig) and not node._is_interpolation() and len(node) == 0
    return node._metadata.ref_type == schema._metadata.ref_type
