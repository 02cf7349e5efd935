// Says so where Python cannot be had: a cell would wait for it for ever, its stored output gone.
fetch(new URL("PYODIDE", new URL("..", location.href)), { method: "HEAD" })
  .then((answer) => (answer.ok ? "" : `${answer.url} answers ${answer.status}`), String)
  .then((why) => {
    if (!why) return;
    const said = document.createElement("p");
    said.setAttribute("role", "alert");
    said.style.cssText =
      "position: fixed; inset: auto 0 0; z-index: 9; margin: 0; padding: 8px; font: 15px sans-serif;" +
      "color: #222; background: #fff3cd; border-top: 1px solid #222";
    said.textContent = `Python cannot be had here, so no cell will run (${why}). What is stored can be read.`;
    document.body.append(said);
  });
