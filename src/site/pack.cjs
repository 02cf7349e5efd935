// Runs page_pack.py in Pyodide: node pack.cjs PYODIDE SCRIPT OUT, where OUT has the book's zip file
// and the others come to.
"use strict";
const fs = require("fs");
const path = require("path");
const [pyodide, script, out, ...packages] = process.argv.slice(2);
const { loadPyodide } = require(path.resolve(pyodide, "pyodide.js"));

const pack = async () => {
  const python = await loadPyodide({ indexURL: path.resolve(pyodide), packages });
  python.FS.writeFile("/home/pyodide/page_pack.py", fs.readFileSync(script));
  const pack = python.pyimport("page_pack");
  const write = (name, bytes) => {
    fs.writeFileSync(path.join(out, name), bytes.toJs());
    bytes.destroy();
  };
  if (packages.length) {
    write("numpy.zip", pack.numpy());
    write("pictures.zip", pack.pictures());
    write("standard_library.zip", pack.standard_library());
  } else {
    python.FS.writeFile("/tmp/bnnotes.zip", fs.readFileSync(path.join(out, "bnnotes.zip")));
    write("bnnotes.zip", pack.book("/tmp/bnnotes.zip"));
  }
};
pack();
