"""Training steps of other projects, each in an environment of its own: see ``__main__``."""
