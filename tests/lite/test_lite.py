"""The chapters run to their end in JupyterLite, offline: every assert holds there too."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted(path.stem for path in BOOK.glob("*.ipynb"))
if "ALL" not in os.environ:
    CHAPTERS = [name for name in CHAPTERS if name[0] in "037"]

LOOK = """() => {
    const notebook = window.jupyterapp?.shell.currentWidget?.content;
    const cells = notebook?.widgets?.filter(cell => cell.model.type === "code") ?? [];
    return cells.map(({model}) => ({
        id: model.id,
        ran: model.executionCount !== null,
        running: model.executionState === "running",
        said: model.outputs.toJSON().filter(({output_type: type}) => /error|stream/.test(type)),
    }));
}"""


def look(page):
    return page.evaluate(LOOK)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_to_its_end(browser, server, name):
    context = browser.new_context(base_url=server, viewport={"width": 1400, "height": 1000})
    outside = []

    def refuse(route):
        outside.append(route.request.url)
        route.abort()

    context.route(re.compile(f"^(?!{re.escape(server)}|data:|blob:)"), refuse)
    page = context.new_page()
    page.goto(f"/lab/index.html?path={name}.ipynb")
    page.wait_for_function(f"() => ({LOOK})().some(cell => cell.said.length)", timeout=60_000)
    stored = [said["text"] for cell in look(page) for said in cell["said"]]
    # Lines that came as a list would stand there joined by commas.
    assert not any("\n," in "".join(text) for text in stored)
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'",
        timeout=180_000,
    )
    page.evaluate("""() => {
        for (const cell of jupyterapp.shell.currentWidget.content.widgets) {
            if (cell.model.type === "code") cell.model.clearExecution();
        }
        jupyterapp.commands.execute("notebook:run-all-cells");
    }""")
    seconds = {}
    for _ in range(1200):
        cells = look(page)
        errors = [said for cell in cells for said in cell["said"] if said["output_type"] == "error"]
        assert not errors, errors[0]
        if all(cell["ran"] and not cell["running"] for cell in cells):
            break
        at = next(cell["id"] for cell in cells if not cell["ran"] or cell["running"])
        seconds[at] = seconds.get(at, 0) + 0.5
        page.wait_for_timeout(500)
    else:
        pytest.fail(f"still at {at}")
    said = "".join("".join(s["text"]) for cell in cells for s in cell["said"])
    assert "Warning" not in said and "font cache" not in said
    slowest = sorted(seconds.items(), key=lambda pair: -pair[1])[:3]
    print(name, "slowest cells", slowest, "of", sum(seconds.values()), "s")
    context.close()
    assert outside == []


def test_the_root_opens_the_first_chapter_with_its_contents(browser, server):
    context = browser.new_context(base_url=server, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(180_000)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("tab", name="0_start_here.ipynb")).to_be_visible(timeout=180_000)
    # Loading, the pages open the list of files once more, whatever was chosen meanwhile.
    contents = page.locator('[role="tab"][title^="Table of Contents"]')
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=180_000,
    )
    contents.click()
    headings = page.locator(".jp-TableOfContents .jp-tocItem-content")
    expect(headings.filter(has_text="The first surprise").first).to_be_visible(timeout=180_000)
    context.close()


def test_a_phone_has_the_chapter_without_the_columns_beside_it(browser, server):
    context = browser.new_context(base_url=server, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto("/")
    title = page.get_by_role("heading", level=1)
    expect(title).to_be_visible(timeout=180_000)
    assert "/notebooks/index.html?path=0_start_here.ipynb" in page.url
    assert title.bounding_box()["width"] > 300
    context.close()


@pytest.mark.parametrize("kind", ["lab", "notebooks"])
def test_where_python_cannot_be_had_the_page_says_so(browser, server, kind):
    context = browser.new_context(base_url=server, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.route("**/pyodide.js", lambda route: route.fulfill(status=404))
    page.goto(f"/{kind}/index.html?path=0_start_here.ipynb")
    expect(page.get_by_role("alert").filter(has_text="Python cannot be had")).to_contain_text("404")
    context.close()
