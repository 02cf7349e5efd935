"""Equations in the page, and links to the numbered ones from wherever the text names them."""

import re

from docutils import nodes
from math_core import LatexToMathML
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

# A mention of an equation of the source or of a row of the ledger.
MENTION = re.compile(r"(?<![\w)])\((?P<equation>[1-6])\)|\b(?P<row>S\d{1,2}[a-z]?)\b")
TAG = re.compile(r"\\tag\{(\d)\}")
NO_LINKS = (nodes.literal, nodes.literal_block, nodes.math, nodes.reference, nodes.title)


class Mentions(SphinxTransform):
    """Give the numbered equations and the rows of the ledger an address, and link to them."""

    default_priority = 500

    def apply(self):
        for block in self.document.findall(nodes.math_block):
            for number in TAG.findall(block.astext()):
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


CONVERTER = LatexToMathML(fancy_error=False)
# A browser draws a large delimiter small where a script is at it alone, without a row.
SCRIPTED = re.compile(r"(<m(?:sub|sup|subsup)>)(<mo [^>]*minsize=[^>]*>[^<]*</mo>)")
# A root is never smaller than this, and over a small letter would hang below the line.
ROOT = '<msqrt><mspace width="0" height="0.8em" depth="0.2em"></mspace>'
# The policy of the page allows no style of its own.
STYLE = re.compile(r'style="text-align: (left|right);[^"]*"')
PUNCTUATED = re.compile(r'\(?<span class="math">(?:(?!</math>).)*</math></span>[,.;:!?)’]+', re.S)


def mathml(formula, displaystyle):
    """Return a formula as the browser itself draws it."""
    converted = CONVERTER.convert_with_local_state(formula, displaystyle=displaystyle)
    converted = SCRIPTED.sub(r"\1<mrow>\2</mrow>", converted.replace("<msqrt>", ROOT))
    return STYLE.sub(r'class="\1"', converted)


def visit_inline(writer, node):
    writer.body.append(writer.starttag(node, "span", "", CLASS="math"))
    writer.body.append(f"{mathml(node.astext(), False)}</span>")
    raise nodes.SkipNode


def visit_display(writer, node):
    formula = node.astext()
    writer.body.append(writer.starttag(node, "div", "", CLASS="math"))
    writer.body.append(mathml(TAG.sub("", formula), True))
    writer.body += [f'<span class="tag">({number})</span>' for number in TAG.findall(formula)]
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def keep_together(app, pagename, templatename, context, doctree):
    """Let no line begin with the comma behind a formula."""
    if "body" in context:
        context["body"] = PUNCTUATED.sub(r'<span class="unbroken">\g<0></span>', context["body"])


def setup(app):
    app.add_transform(Mentions)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.config.html_math_renderer = "mathml"
    app.connect("html-page-context", keep_together)
    return {"parallel_read_safe": True}
