"""A network in integers alone, in numpy: the definition of what integer hardware computes."""
