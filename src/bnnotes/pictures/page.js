/* What the widgets leave out for readers who use a keyboard or a screen reader.

   Runs once in the page, as the error handler of an empty image inside the panel of an explorer:
   the one hook that core widgets give. Where a page forbids it, the sliders work without.
   - a slider's handle has no name, and where options are words its value is read as an index;
   - some applications take arrow keys away from a slider for shortcuts of their own;
   - a line of text that changes is announced only if the element around it stays.

   A picture that came before it was asked for is shown as soon as all sliders stand where it
   belongs; the kernel sends the same again, with its readout. And the kernel is told how fine the
   screen is. */
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
  const tracks = [...panel.querySelectorAll(".noUi-target")];
  const show = () => {
    const ahead = panel.querySelector(".bnnotes-ahead img");
    const places = ahead ? JSON.parse(ahead.dataset.places) : [];
    const there = (track, k) => Math.abs(track.noUiSlider.get() - places[k]) < 1e-9;
    if (ahead && tracks.every(there)) {
      const image = panel.querySelector(".widget-image");
      image.title = ahead.title;
      image.src = ahead.src;
    }
  };
  for (const track of tracks) track.noUiSlider.on("update", show);
  pixels.value = devicePixelRatio;
  pixels.dispatchEvent(new Event("change", { bubbles: true }));
})(this, 100);
