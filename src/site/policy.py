"""What each page may load: what comes with the site, and nothing else."""

POLICY = {
    "default-src": "'self'",
    # Bootstrap draws some icons from within its style sheet.
    "img-src": "'self' data:",
    # MathJax 3.2.2 writes this style sheet into the page. The console names the digest of another.
    "style-src": "'self' 'sha256-31kpbEYe1iNyRnBSaGFRVwdwpvzFj7vrGS5KxtGl6Qg='",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def add_policy(app, pagename, templatename, context, doctree):
    content = "; ".join(f"{name} {sources}" for name, sources in POLICY.items())
    meta = f'\n    <meta http-equiv="Content-Security-Policy" content="{content}" />'
    context["metatags"] = meta + context.get("metatags", "")


def drop_inline_scripts(app, pagename, templatename, context, doctree):
    """Leave out what the theme writes into each page for parts of it that are not used here."""
    context["script_files"] = [script for script in context["script_files"] if script.filename]


def setup(app):
    app.connect("html-page-context", add_policy)
    # After the theme.
    app.connect("html-page-context", drop_inline_scripts, priority=900)
    return {"parallel_read_safe": True}
