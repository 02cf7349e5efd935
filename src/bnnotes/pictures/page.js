/* What the widgets leave out for readers who use a keyboard or a screen reader.

   Runs once in the page, as the error handler of an empty image inside the panel of an explorer:
   the one hook that core widgets give. Where a page forbids it, the sliders work without.
   - a slider's handle has no name, and where it has options its value is read as an index;
   - some applications take arrow keys away from sliders and menus for shortcuts of their own;
   - a line of text that changes is announced only if the element around it stays.

   A picture that came before it was asked for is shown as soon as all sliders stand where it
   belongs; the kernel sends the same again, with its readout. What can be dragged moves the sliders,
   by drag.js, which stands before this. And the kernel is told how fine the screen is. */
(function follow(mark, patience) {
  const panel = mark.closest(".bnnotes-explorer");
  const handles = panel ? panel.querySelectorAll(".noUi-handle") : [];
  const pixels = panel?.querySelector(".bnnotes-pixels input");
  if (handles.length < Number(mark.dataset.sliders) || !pixels) {
    if (patience > 0) setTimeout(follow, 100, mark, patience - 1);
    return;
  }
  panel.setAttribute("role", "group");
  panel.setAttribute("aria-label", mark.dataset.name);
  for (const handle of handles) {
    const row = handle.closest(".widget-slider");
    const value = row.querySelector(".widget-readout");
    const read = () => handle.setAttribute("aria-valuetext", value.textContent);
    handle.setAttribute("aria-label", row.querySelector(".widget-label").textContent);
    handle.dataset.lmSuppressShortcuts = "true";
    new MutationObserver(read).observe(value, { childList: true, characterData: true, subtree: true });
    read();
  }
  panel.querySelector(".bnnotes-readout .widget-html-content").setAttribute("role", "status");
  const controls = [...panel.querySelectorAll(".noUi-target, select")];
  const standing = (one) => one.noUiSlider?.get() ?? one.selectedIndex;
  const image = panel.querySelector(".widget-image"), known = panel.querySelector(".bnnotes-grips");
  const show = () => {
    const ahead = panel.querySelector(".bnnotes-ahead img");
    const places = ahead ? JSON.parse(ahead.dataset.places) : [];
    const there = (one, k) => Math.abs(standing(one) - places[k]) < 1e-9;
    if (ahead && controls.every(there)) {
      image.title = ahead.title;
      image.src = ahead.src;
    }
  };
  for (const one of controls) {
    if (one.noUiSlider) one.noUiSlider.on("update", show);
    else {
      one.dataset.lmSuppressShortcuts = "true";
      one.addEventListener("change", show);
    }
  }
  const corrected = drag(image, {
    width: () => Number(image.getAttribute("width")), // which may come after this has run
    grips: () => JSON.parse(known.querySelector("i")?.dataset.grips ?? "[]"),
    move: (sliders, places) => sliders.forEach((k, n) => controls[k].noUiSlider.set(places[n])),
  });
  new MutationObserver(corrected).observe(known, { childList: true, subtree: true });
  pixels.value = devicePixelRatio;
  pixels.dispatchEvent(new Event("change", { bubbles: true }));
})(this, 100);
