"""Methods outside of qatlab. The YAML files in ``conf`` name them."""
