// Moves the explorers of a page that no kernel stands behind.
//
// At first by pictures made in advance: a sheet holds those for all places of the first slider, one
// below the other; there is one for each place of the second. Other sliders, and places between,
// need Python, which is loaded when the reader asks for it or moves a slider that has no pictures.
"use strict";
{
  const QUIET = 50; // milliseconds
  const panels = [];
  let python = null;
  let loading = false;

  // One Python for all explorers of the visit. Each is live from its first picture on, which takes
  // longest: first the one that the reader asked for, then the others, unless a move comes between.
  const load = async (panel) => {
    panel.asked = true;
    if (loading) return;
    loading = true;
    python ??= new Python("page_explorers");
    const tell = (progress) => panels.forEach((one) => one.tell(`${progress} …`));
    try {
      await python.start(tell);
      tell("Drawing");
      await panel.free();
      sessionStorage.setItem("live", "yes");
    } catch (error) {
      python.stop("");
      python = null;
      loading = false;
      for (const one of panels) one.fail(error.message);
      return;
    }
    const waiting = panels.filter((one) => one !== panel);
    while (waiting.length) {
      while (panels.some(({ drawing }) => drawing)) await new Promise((done) => setTimeout(done, QUIET));
      const [next] = waiting.splice(Math.max(waiting.findIndex(({ asked }) => asked), 0), 1);
      await next.free().catch((error) => next.tell(error.message));
    }
  };

  class Panel {
    constructor(box) {
      this.box = box;
      Object.assign(this, JSON.parse(box.querySelector("script").textContent));
      this.inputs = [...box.querySelectorAll("input")];
      this.picture = box.querySelector("img");
      this.note = box.querySelector(".note");
      this.said = this.note.textContent;
      this.live = false;
      this.grips = [];
      // One picture of the sheet fills the place, whatever its width on the page.
      const [width, height] = ["width", "height"].map((side) => this.picture.getAttribute(side));
      this.picture.style.aspectRatio = `${width} / ${height}`;
      this.picture.style.objectFit = "cover";
      box.style.setProperty("--width", `${width}px`); // beside the sliders where there is room
      this.inputs.forEach((input, k) => {
        input.addEventListener("input", () => this.moved(k));
        // Some browsers bring back where a slider stood when the page was left.
        input.value = input.defaultValue;
      });
      const fetchAll = () => {
        if (!this.live) this.sheets.forEach((sheet) => Object.assign(new Image(), { src: sheet }));
      };
      for (const event of ["pointerenter", "focusin"]) box.addEventListener(event, fetchAll, { once: true });
      if (Python.at) this.offer();
    }

    offer() {
      this.box.classList.add("python");
      this.said = "Pictures made in advance.";
      this.tell(this.said);
      this.button = document.createElement("button");
      this.button.type = "button";
      this.button.className = "run-live";
      this.button.textContent = "Run live";
      this.button.addEventListener("click", () => load(this));
      this.note.after(this.button);
    }

    // Where each slider stands, of all places that it has.
    get places() {
      return this.inputs.map(({ value }, k) => {
        const { frames } = this.sliders[k];
        return frames && !this.live ? frames[value] : Number(value);
      });
    }

    label(k) {
      const label = this.sliders[k].labels[this.places[k]];
      this.inputs[k].setAttribute("aria-valuetext", label);
      this.inputs[k].nextElementSibling.textContent = label;
    }

    moved(k) {
      this.label(k);
      if (this.live || this.drawing) this.draw().catch((error) => this.tell(error.message));
      else if (this.inputs.some((input, j) => !this.sliders[j].frames && input.value !== input.defaultValue)) load(this);
      else this.frame();
    }

    frame() {
      const [place, row = 0] = this.order.map((k) => Number(this.inputs[k].value));
      const readout = this.readouts[row][place];
      this.show(this.sheets[row], readout, `${this.name}. ${readout}`);
      this.picture.style.objectPosition = `0 ${(100 * place) / (this.readouts[0].length - 1)}%`;
    }

    show(source, readout, alt) {
      this.box.querySelector("output").textContent = readout;
      this.picture.alt = alt;
      this.picture.src = source;
    }

    // The picture of where the sliders stand; of all moves while one is drawn, the last counts.
    async draw() {
      this.again = true;
      if (this.drawing) return;
      const busy = (on) => {
        this.drawing = on;
        this.box.querySelector(".picture").setAttribute("aria-busy", on);
      };
      busy(true);
      try {
        while (this.again) {
          this.again = false;
          // As fine as the screen; beyond two nobody sees it.
          const fine = Math.min(Math.max(devicePixelRatio, 1), 2);
          const values = [this.key, this.places, fine];
          const [rgba, width, readout, alt, grips] = await python.ask("draw", values);
          this.paint(new ImageData(new Uint8ClampedArray(rgba.buffer), width));
          this.canvas.setAttribute("aria-label", alt);
          this.box.querySelector("output").textContent = readout;
          this.grips = JSON.parse(grips);
          this.corrected();
        }
      } finally {
        busy(false);
      }
    }

    // In the place of the picture that stood there.
    paint(pixels) {
      if (!this.canvas) {
        this.canvas = document.createElement("canvas");
        this.canvas.setAttribute("role", "img");
        const width = Number(this.picture.getAttribute("width"));
        this.canvas.style.width = `${width}px`;
        this.picture.replaceWith(this.canvas);
        const move = (sliders, places) => this.drag(sliders, places);
        this.corrected = drag(this.canvas, { width: () => width, grips: () => this.grips, move });
      }
      if (this.canvas.width !== pixels.width) {
        Object.assign(this.canvas, { width: pixels.width, height: pixels.height });
      }
      this.canvas.getContext("2d").putImageData(pixels, 0, 0);
    }

    // To the places nearest to where what is dragged comes to the pointer; a range keeps to its ends.
    drag(sliders, places) {
      const before = String(this.places);
      sliders.forEach((k, n) => {
        this.inputs[k].value = Math.round(places[n]);
        this.label(k);
      });
      if (String(this.places) === before) return;
      this.draw().catch((error) => this.tell(error.message));
    }

    // Draws; from there on Python answers, at every place of every slider.
    async free() {
      await this.draw();
      const places = this.places;
      this.live = true;
      this.inputs.forEach((input, k) => {
        input.max = this.sliders[k].labels.length - 1;
        input.value = places[k];
      });
      this.button.hidden = true;
      this.tell("Live: Python draws each picture in this page.");
    }

    fail(why) {
      this.inputs.forEach((input, k) => {
        if (this.sliders[k].frames || input.value === input.defaultValue) return;
        input.value = input.defaultValue;
        this.moved(k);
      });
      this.tell(`Python could not be loaded: ${why}. ${this.said}`);
    }

    tell(text) {
      this.note.textContent = text;
    }
  }

  for (const box of document.querySelectorAll(".explorer")) panels.push(new Panel(box));

  // Where an earlier page of the visit has started Python, this one is live from the start.
  if (Python.at && panels.length && sessionStorage.getItem("live") && Python.packages.page_explorers.shared) {
    python = new Python("page_explorers");
    python.ask("running").then(
      (running) => { if (running) load(panels[0]); },
      () => { python = null; },
    );
  }
}
