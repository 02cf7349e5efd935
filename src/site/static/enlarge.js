// A tap on a picture shows it large, as it stands; another tap or Escape ends that.
"use strict";
addEventListener("click", ({ target }) => {
  if (!target.matches(".cell_output img, .cell_output canvas")) return;
  const dialog = document.body.appendChild(document.createElement("dialog"));
  dialog.className = "enlarged cell_output";
  dialog.setAttribute("aria-label", "The picture, large");
  const large = dialog.appendChild(target.cloneNode());
  if (target.matches("canvas")) large.getContext("2d").drawImage(target, 0, 0);
  dialog.addEventListener("click", (event) => {
    event.stopPropagation();
    dialog.close();
  });
  // The theme keeps Escape for its own dialogs.
  dialog.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
});
