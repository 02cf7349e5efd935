"""How Sphinx makes the site; build.py gathers the pages and calls it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "bnnotes"
author = "The bnnotes authors"
copyright = "the bnnotes authors. Text and pictures: CC BY 4.0. Code: BSD-3-Clause"
html_title = "Back-propagation through batch normalization"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
extensions += ["docstrings", "equations", "policy", "ways"]  # of this folder
templates_path = ["templates"]
html_static_path = ["static", "../bnnotes/pictures/drag.js"]

# The notebooks are shown as they were stored.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
# No widgets of a kernel: build.py has put pictures in their place.
nb_ipywidgets_js = {}
nb_merge_streams = True
nb_number_source_lines = False
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
# Two modules have a Normalized; a docstring of a third that names one links to the first.
suppress_warnings = ["ref.python"]
# What an explorer computes, draws and says, its class says once for all.
autodoc_inherit_docstrings = False
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "sphinx_book_theme"
html_theme_options = {
    # Their buttons carry scripts within the page, which its policy forbids.
    "use_download_button": False,
    "use_fullscreen_button": False,
    # No bar above the page; what it would hold stands beside the title.
    "navbar_persistent": [],
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "search_bar_text": "Search the book",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_favicon = "static/icon.svg"
html_css_files = ["site.css"]
html_js_files = [(f"{name}.js", {"defer": "defer"}) for name in ("boxes", "enlarge", "progress")]
html_use_index = False
html_domain_indices = False
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
