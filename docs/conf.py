"""Settings of Sphinx. ``make docs`` builds the site into ``build/site``, without a network.

Pages under ``docs/generated`` are written by :mod:`docs._generate` when a build begins.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from docs._generate.every import every_page
from docs._generate.links import for_site
from docs._generate.pages import GENERATED, write_pages
from docs._generate.tutorials.page import with_captions
from qat import __version__

project = "QATLab"
author = "the QATLab contributors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_generate"]
myst_heading_anchors = 3
copybutton_prompt_text = "$ "  # of a block with prompts, only the commands are copied
copybutton_line_continuation_character = "\\"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
napoleon_use_ivar = True  # a field of a dataclass is described once

smartquotes_action = "D"  # two hyphens of a list of parameters become a dash; quotes stay

html_theme = "furo"
html_title = f"QATLab {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False


def setup(app):
    """Write the generated pages, and mend links when Sphinx reads the others."""
    write_pages(every_page())
    app.connect("source-read", _mend_links)
    return {"parallel_read_safe": True}


def _mend_links(app, page, source):
    if not page.startswith(f"{GENERATED}/"):
        source[0] = for_site(source[0], f"docs/{page}.md", page)
    if page.startswith("tutorials/"):
        source[0] = with_captions(source[0])
