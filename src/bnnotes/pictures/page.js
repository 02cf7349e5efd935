/* What the widgets leave out for readers who use a keyboard or a screen reader.

   Runs once in the page, as the error handler of an empty image inside the panel of an explorer:
   the one hook that core widgets give. Where a page forbids it, the sliders work without.
   - a slider's handle has no name, and where it has options its value is read as an index;
   - some applications take arrow keys away from sliders and menus for shortcuts of their own;
   - a line of text that changes is announced only if the element around it stays.

   A picture that came before it was asked for is shown as soon as all sliders stand where it
   belongs; the kernel sends the same again, with its readout. What can be dragged moves the sliders
   to where it comes to the pointer, as far as the kernel has said how it moves. And the kernel is
   told how fine the screen is. */
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
  const show = () => {
    const ahead = panel.querySelector(".bnnotes-ahead img");
    const places = ahead ? JSON.parse(ahead.dataset.places) : [];
    const there = (one, k) => Math.abs(standing(one) - places[k]) < 1e-9;
    if (ahead && controls.every(there)) {
      const image = panel.querySelector(".widget-image");
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
  drag(panel);
  pixels.value = devicePixelRatio;
  pixels.dispatchEvent(new Event("change", { bubbles: true }));

  function drag(panel) {
    const NEAR = 14, TIMES = 4; // pixels; pictures that may correct the sliders after a move
    const image = panel.querySelector(".widget-image");
    const known = panel.querySelector(".bnnotes-grips");
    const grips = () => JSON.parse(known.querySelector("i")?.dataset.grips ?? "[]");
    const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
    const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
    const place = (event) => {
      const box = image.getBoundingClientRect(), scale = image.getAttribute("width") / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    };
    const find = (at) => {
      const inside = ([left, right]) => (left < at[0] && at[0] < right ? NEAR : Infinity);
      const far = grips().map((grip) =>
        grip.within ? inside(grip.within) : Math.hypot(...minus(at, grip.at)),
      );
      const nearest = far.indexOf(Math.min(...far));
      return far[nearest] <= NEAR ? nearest : -1;
    };
    let held = null;
    const pull = () => {
      const { sliders, places, at, moves: [a, b] } = grips()[held.grip] ?? { sliders: [] };
      if (!sliders.length) return;
      const way = minus(minus(held.to, held.beside), at);
      // The least squares of a·s + b·t = way; a little is added where one moves almost nothing.
      const [aa, ab, bb] = b ? [dot(a, a), dot(a, b), dot(b, b)] : [dot(a, a), 0, 1];
      const less = 1e-3 * (aa + (b ? bb : 0)) + 1e-9, [p, q] = [dot(a, way), b ? dot(b, way) : 0];
      const size = (aa + less) * (bb + less) - ab * ab;
      const by = [(p * (bb + less) - q * ab) / size, (q * (aa + less) - p * ab) / size];
      sliders.forEach((k, n) => controls[k].noUiSlider.set(places[n] + by[n]));
    };
    new MutationObserver(() => {
      if (held && held.times-- > 0) pull();
    }).observe(known, { childList: true, subtree: true });
    image.draggable = false;
    image.addEventListener("pointerdown", (event) => {
      const to = place(event), grip = find(to);
      if (grip < 0) return;
      held = { grip, to, beside: minus(to, grips()[grip].at), times: 0 };
      image.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    image.addEventListener("pointermove", (event) => {
      if (!held) image.style.cursor = find(place(event)) < 0 ? "" : "grab";
      else {
        Object.assign(held, { to: place(event), times: TIMES });
        pull();
      }
    });
    for (const end of ["pointerup", "pointercancel"])
      image.addEventListener(end, () => (held = null));
  }
})(this, 100);
