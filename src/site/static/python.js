// Python in the reader's browser: a worker that is asked, and that can be stopped.
"use strict";
class Python {
  // Where the site has Pyodide; null where it was built without.
  static at = document.querySelector('meta[name="pyodide"]')?.content ?? null;

  constructor(name, packages, archives) {
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
    this.options = {
      pyodide: absolute(Python.at),
      archives: archives.map((file) => absolute(`_static/python/${file}`)),
      packages,
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
