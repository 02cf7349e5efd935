// Moves the explorers of a page that no kernel stands behind. A sheet holds the pictures for all
// positions of the first slider, one below the other; there is one for each of the second slider.
"use strict";
for (const explorer of document.querySelectorAll(".explorer")) {
  const { name, labels, sheets, readouts } = JSON.parse(explorer.querySelector("script").textContent);
  const sliders = [...explorer.querySelectorAll("input")];
  const picture = explorer.querySelector("img");
  const load = (sheet) => Object.assign(new Image(), { src: sheet });

  const show = () => {
    const places = sliders.map((slider) => Number(slider.value));
    const [place, row = 0] = places;
    sliders.forEach((slider, k) => {
      slider.setAttribute("aria-valuetext", labels[k][places[k]]);
      slider.nextElementSibling.textContent = labels[k][places[k]];
    });
    const readout = readouts[row][place];
    explorer.querySelector("output").textContent = readout;
    picture.alt = `${name}. ${readout}`;
    picture.src = sheets[row];
    picture.style.objectPosition = `0 ${(100 * place) / (labels[0].length - 1)}%`;
  };

  // One picture of the sheet fills the place, whatever its width on the page.
  picture.style.aspectRatio = `${picture.getAttribute("width")} / ${picture.getAttribute("height")}`;
  picture.style.objectFit = "cover";
  for (const slider of sliders) {
    slider.addEventListener("input", show);
    // Some browsers bring back where a slider stood when the page was left.
    slider.value = slider.defaultValue;
  }
  explorer.addEventListener("pointerenter", () => sheets.forEach(load), { once: true });
  explorer.addEventListener("focusin", () => sheets.forEach(load), { once: true });
}
