"""Files that other programs read: the packed file."""
