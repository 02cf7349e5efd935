/* Lets points of a picture be dragged, with mouse, pen or finger: the sliders behind a point move to
   where it comes to the pointer, as far as Python has said how it moves with each of them. Returns
   what is to be called after each picture, which corrects the sliders. */
function drag(image, { width, grips, move }) {
  const NEAR = 14, TIMES = 4; // pixels; pictures that may correct the sliders after a move
  const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
  const place = (event) => {
    const box = image.getBoundingClientRect(), scale = width() / box.width;
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
  let held = null, moved = false;
  const pull = () => {
    const { sliders, places, at, moves: [a, b] } = grips()[held.grip] ?? { sliders: [], moves: [] };
    if (!sliders.length) return;
    const way = minus(minus(held.to, held.beside), at);
    // The least squares of a·s + b·t = way; a little is added where one moves almost nothing.
    const [aa, ab, bb] = b ? [dot(a, a), dot(a, b), dot(b, b)] : [dot(a, a), 0, 1];
    const less = 1e-3 * (aa + (b ? bb : 0)) + 1e-9, [p, q] = [dot(a, way), b ? dot(b, way) : 0];
    const size = (aa + less) * (bb + less) - ab * ab;
    const by = [(p * (bb + less) - q * ab) / size, (q * (aa + less) - p * ab) / size];
    move(sliders, sliders.map((_, n) => places[n] + by[n]));
  };
  image.draggable = false;
  image.addEventListener("pointerdown", (event) => {
    moved = false;
    const to = place(event), grip = find(to);
    if (grip < 0) return;
    held = { grip, to, beside: minus(to, grips()[grip].at), times: 0 };
    image.setPointerCapture(event.pointerId);
    image.style.cursor = "grabbing";
    event.preventDefault();
  });
  // A finger that has a point does not scroll the page; anywhere else it does.
  image.addEventListener("touchstart", (event) => {
    if (find(place(event.touches[0])) >= 0) event.preventDefault();
  }, { passive: false });
  image.addEventListener("pointermove", (event) => {
    if (!held) image.style.cursor = find(place(event)) < 0 ? "" : "grab";
    else {
      moved = true;
      Object.assign(held, { to: place(event), times: TIMES });
      pull();
    }
  });
  for (const end of ["pointerup", "pointercancel"])
    image.addEventListener(end, () => {
      if (held) image.style.cursor = "grab";
      held = null;
    });
  // What ends a drag is no click on the picture.
  image.addEventListener("click", (event) => { if (moved) event.stopPropagation(); });
  return () => { if (held && held.times-- > 0) pull(); };
}
