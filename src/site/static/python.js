// Python in the reader's browser: a worker that is asked, and that can be stopped.
//
// The reader's own code runs in a worker of its page alone, under the policy of the page. One that
// runs the book's code is shared by the pages of a visit, where the browser has such workers.
"use strict";
class Python {
  // Where the site has Pyodide; null where it was built without.
  static at = document.querySelector('meta[name="pyodide"]')?.content ?? null;

  // Its packages: where the site has its own Pyodide, packed; else as Pyodide's wheels.
  static packages = {
    page_review: { packed: ["numpy"], wheels: ["numpy"] },
    page_explorers: {
      shared: "SharedWorker" in window,
      packed: ["numpy", "pictures"],
      wheels: ["numpy", "matplotlib", "pillow", "threadpoolctl"],
    },
  };

  constructor(name) {
    const here = new URL(document.documentElement.dataset.content_root, document.baseURI);
    const absolute = (address) => new URL(address, here).href;
    this.waiting = new Map();
    const { packed, wheels, shared } = Python.packages[name];
    const address = absolute("_static/python-worker.js");
    if (shared) {
      // It lives on for a moment between two pages.
      this.worker = new SharedWorker(address, { name, extendedLifetime: true });
      this.port = this.worker.port;
    } else {
      // From a blob, so that what the page may not load, its worker may not either.
      const script = `importScripts(${JSON.stringify(address)});`;
      const blob = new Blob([script], { type: "text/javascript" });
      this.port = this.worker = new Worker(URL.createObjectURL(blob));
    }
    this.port.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => this.end(event.message || "The worker cannot be loaded");
    const own = !Python.at.includes("://");
    const file = (part) => absolute(`_static/python/${part}.zip`);
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
      this.port.postMessage({ id, call, values });
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
    this.worker.terminate?.();
    this.end(why);
  }

  end(why) {
    for (const { reject } of this.waiting.values()) reject(new Error(why));
    this.waiting.clear();
  }
}
