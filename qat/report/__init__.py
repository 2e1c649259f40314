"""Records and the files beside them as lines, pages and figures; loads no torch."""
