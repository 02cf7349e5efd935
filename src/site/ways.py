"""Below the title of each notebook's page: its notebook, its live version, how to run it."""

from pathlib import Path

import jinja2

BOOK = Path(__file__).parents[2] / "book"
TEMPLATE = jinja2.Template(
    '<p class="ways"><a href="notebooks/{{ page }}.ipynb" download>Notebook</a>'
    '{% if lite %} · <a href="{{ lite }}lab/index.html?path={{ page }}.ipynb">'
    "Open this chapter to edit</a>{% endif %}"
    ' · <a href="run.html">How to run it</a>'
    '{% if repository %} · <a href="{{ repository }}">Repository</a>{% endif %}</p>',
    autoescape=True,
)


def add_ways(app, pagename, templatename, context, doctree):
    if (BOOK / f"{pagename}.ipynb").is_file():
        ways = TEMPLATE.render(
            page=pagename, lite=app.config.lite, repository=app.config.repository
        )
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{ways}", 1)


def setup(app):
    # Where the JupyterLite pages are, from the root of the site or in full; "" where nowhere.
    app.add_config_value("lite", "", "html")
    app.add_config_value("repository", "", "html")
    app.connect("html-page-context", add_ways)
    return {"parallel_read_safe": True}
