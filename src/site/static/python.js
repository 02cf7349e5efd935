// Python in the reader's browser: a worker that is asked, and that can be stopped.
"use strict";
class Python {
  // Where the site has Pyodide; null where it was built without.
  static at = document.querySelector('meta[name="pyodide"]')?.content ?? null;

  // Its packages: where the site has its own Pyodide, packed; else as Pyodide's wheels.
  static packages = {
    page_review: { packed: ["numpy"], wheels: ["numpy"] },
    page_explorers: {
      packed: ["numpy", "pictures"],
      wheels: ["numpy", "matplotlib", "pillow", "threadpoolctl"],
    },
  };

  constructor(name) {
    const here = new URL(document.documentElement.dataset.content_root, document.baseURI);
    const absolute = (address) => new URL(address, here).href;
    this.waiting = new Map();
    // From a blob, so that what the page may not load, its worker may not either.
    const script = `importScripts(${JSON.stringify(absolute("_static/python-worker.js"))});`;
    const blob = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.worker = new Worker(blob);
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message || "The worker cannot be loaded"));
    };
    const own = !Python.at.includes("://");
    const file = (part) => absolute(`_static/python/${part}.zip`);
    const { packed, wheels } = Python.packages[name];
    this.options = {
      pyodide: absolute(Python.at),
      packed: own && file("standard_library"),
      packages: wheels,
      archives: [...(own ? packed : []), "bnnotes"].map(file),
      name,
    };
  }

  start(tell) {
    this.started ??= this.ask("start", this.options, tell);
    return this.started;
  }

  ask(call, values, tell) {
    const id = this.waiting.size ? Math.max(...this.waiting.keys()) + 1 : 0;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, tell });
      this.worker.postMessage({ id, call, values });
    });
  }

  hear({ id, progress, result, error }) {
    const { resolve, reject, tell } = this.waiting.get(id);
    if (progress !== undefined) {
      tell?.(progress);
      return;
    }
    this.waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  }

  stop(why) {
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(new Error(why));
    this.waiting.clear();
  }
}
