// Only the parts of MathJax that the book needs; without its menu, formulas are no tab stops.
window.MathJax = {
  loader: { load: ["input/tex", "output/chtml", "a11y/assistive-mml"] },
  options: { ignoreHtmlClass: "tex2jax_ignore|document", processHtmlClass: "math" },
  // The same style sheet on every page and at every address, since the policy names its digest.
  chtml: {
    adaptiveCSS: false,
    fontURL:
      document.documentElement.dataset.content_root + "_static/mathjax/output/chtml/fonts/woff-v2",
  },
};
