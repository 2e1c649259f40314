"""Methods that live outside qatlab: the YAML files in ``conf`` name them."""
