// What is wider than the page scrolls in its own box, with the keyboard too.
"use strict";
{
  const boxes =
    "div.math, .cell_output, .output, pre, .pst-scrollable-table-container, .picture, .wide";

  const mark = () => {
    for (const formula of document.querySelectorAll("span.math")) {
      formula.classList.remove("wide");
      const block = formula.closest("p, li, td, dd");
      if (block && formula.offsetWidth > block.clientWidth) formula.classList.add("wide");
    }
    for (const box of document.querySelectorAll(boxes)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };

  addEventListener("load", () => {
    mark();
    document.fonts.ready.then(mark);
  });
  addEventListener("resize", mark);
}
