"""LaTeX that compiles by itself."""


def document(body):
    """A document with a table in it."""
    return (
        "\\documentclass{article}\n\\usepackage[a4paper,landscape,margin=1cm]{geometry}\n"
        f"\\usepackage{{booktabs}}\n\\begin{{document}}\n\\noindent\n{body}\\end{{document}}\n"
    )
