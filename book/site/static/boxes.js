// What is wider than the page scrolls in its own box, with the keyboard too.
{
  const boxes = "div.math, .output, .pst-scrollable-table-container, pre, .table-box";
  const mark = () => {
    for (const box of document.querySelectorAll(boxes)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("load", () => {
    mark();
    window.MathJax?.startup.promise.then(mark);
  });
  addEventListener("resize", mark);
}
