"""The command line: the only wiring, and the only room that knows Hydra."""
