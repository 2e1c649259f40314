"""The words that are typed: known by name before Hydra reads them."""
