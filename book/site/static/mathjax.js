// Only the parts of MathJax that the book needs; without its menu, formulas are no tab stops.
window.MathJax = {
  loader: { load: ["input/tex", "output/chtml", "a11y/assistive-mml"] },
  options: { ignoreHtmlClass: "tex2jax_ignore|document", processHtmlClass: "math" },
  // The whole style sheet at once, so that the policy of the page can name it.
  chtml: { adaptiveCSS: false },
};
