"""Lines, pages and figures from records and the files beside them. Loads no torch."""
