"""Equations in the page, and links to the numbered ones from wherever the text names them."""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

# A mention of an equation of the source or of a row of the ledger.
MENTION = re.compile(r"(?<![\w)])\((?P<equation>[1-6])\)|\b(?P<row>S\d{1,2}[a-z]?)\b")
NO_LINKS = (nodes.literal, nodes.literal_block, nodes.math, nodes.reference, nodes.title)


class Mentions(SphinxTransform):
    """Give the numbered equations and the rows of the ledger an address, and link to them."""

    default_priority = 500

    def apply(self):
        for block in self.document.findall(nodes.math_block):
            for number in re.findall(r"\\tag\{(\d)\}", block.astext()):
                self._name(block, f"equation-{number}")
        names = set()
        if self.env.docname == "ledger":
            for row in self.document.findall(nodes.row):
                name = row[0].astext()
                if MENTION.fullmatch(name):
                    self._name(row[0], f"ledger-{name.lower()}")
                    names.update(map(id, row[0].findall(nodes.Text)))
        for text in list(self.document.findall(nodes.Text)):
            if MENTION.search(text) and id(text) not in names and not _within(text, NO_LINKS):
                text.parent.replace(text, list(self._linked(text)))

    def _name(self, node, name):
        known = self.env.get_domain("std").anonlabels
        if name not in known:
            node["ids"].append(name)
            known[name] = self.env.docname, name

    def _linked(self, text):
        end = 0
        for mention in MENTION.finditer(text):
            yield nodes.Text(text[end : mention.start()])
            yield self._link(mention)
            end = mention.end()
        yield nodes.Text(text[end:])

    def _link(self, mention):
        if mention["row"]:
            target = f"ledger-{mention['row'].lower()}"
        else:
            target = f"equation-{mention['equation']}"
        link = addnodes.pending_xref(
            "",
            nodes.inline("", mention.group()),
            refdomain="std",
            reftype="ref",
            reftarget=target,
            refexplicit=True,
            refwarn=True,
            refdoc=self.env.docname,
        )
        link.source, link.line = self.document["source"], 0
        return link


def _within(node, kinds):
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def visit_inline(writer, node):
    writer.body.append(writer.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    writer.body.append(rf"\({writer.encode(node.astext())}\)</span>")
    raise nodes.SkipNode


def visit_display(writer, node):
    # As it is written, since a reader of the notebook sees it so, and tags do not nest.
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate nohighlight"))
    writer.body.append(rf"\[{writer.encode(node.astext())}\]</div>")
    raise nodes.SkipNode


def add_mathjax(app, pagename, templatename, context, doctree):
    if context.get("has_maths_elements"):
        app.add_js_file("mathjax.js")
        app.add_js_file("mathjax/startup.js", defer="defer")


def setup(app):
    app.add_transform(Mentions)
    app.add_html_math_renderer("plain", (visit_inline, None), (visit_display, None))
    app.config.html_math_renderer = "plain"
    app.connect("html-page-context", add_mathjax)
    return {"parallel_read_safe": True}
