"""What each page may load: what comes with the site, and nothing else.

But for Python on a page that runs it, where the site was not built with its own.
"""

POLICY = {
    "default-src": "'self'",
    # Bootstrap draws some icons from within its style sheet.
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def live(pyodide):
    """Return what a page may do besides, whose Python comes from this address."""
    outside = f" {pyodide}" if "://" in pyodide else ""
    return {
        "script-src": f"'self' 'wasm-unsafe-eval'{outside}",
        "connect-src": f"'self'{outside}",
        # The book's code runs in the site's own; the reader's in one made in the page, which
        # stands under the policy of the page.
        "worker-src": "'self' blob:",
    }


def add_policy(app, pagename, templatename, context, doctree):
    policy, metas, pyodide = POLICY, "", app.config.pyodide
    if pyodide and runs_python(context):
        policy = POLICY | live(pyodide)
        metas = f'\n    <meta name="pyodide" content="{pyodide}" />'
    content = "; ".join(f"{name} {sources}" for name, sources in policy.items())
    metas += f'\n    <meta http-equiv="Content-Security-Policy" content="{content}" />'
    context["metatags"] = metas + context.get("metatags", "")


def runs_python(context):
    """Return whether a page has explorers, or reviews its reader's code."""
    return any(f'class="{part}"' in context.get("body", "") for part in ("explorer", "gradient"))


def add_scripts(app, pagename, templatename, context, doctree):
    if runs_python(context):
        for script in ("python.js", "drag.js", "sliders.js", "gradient.js"):
            app.add_js_file(script, defer="defer")


def drop_inline_scripts(app, pagename, templatename, context, doctree):
    """Leave out what the theme writes into each page for parts of it that are not used here."""
    context["script_files"] = [script for script in context["script_files"] if script.filename]


def setup(app):
    # Where Pyodide is, from the root of the site or in full; "" where pages have none.
    app.add_config_value("pyodide", "", "html")
    app.connect("html-page-context", add_scripts)
    app.connect("html-page-context", add_policy)
    # After the theme.
    app.connect("html-page-context", drop_inline_scripts, priority=900)
    return {"parallel_read_safe": True}
