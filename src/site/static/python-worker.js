// Python in a worker: loads Pyodide and answers with what functions of one Python module return.
"use strict";
let module, started;

const start = async ({ pyodide, packed, packages, archives, name }, tell) => {
  tell("Loading Python");
  importScripts(`${pyodide}pyodide.js`);
  const options = packed ? { stdLibURL: packed } : { packages };
  const [python, ...files] = await Promise.all([
    loadPyodide({ indexURL: pyodide, ...options }),
    ...archives.map(read),
  ]);
  tell("Loading the book");
  const extractDir = "/lib/python3.12/site-packages";
  for (const file of files) python.unpackArchive(file, "zip", { extractDir });
  module = python.pyimport(name);
};

const answer = (result) => {
  if (!result?.toJs) return result;
  const own = result.toJs();
  result.destroy();
  return own;
};

const read = async (address) => {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${answer.statusText}`);
  return answer.arrayBuffer();
};

const hear = async (port, { id, call, values }) => {
  const tell = (progress) => port.postMessage({ id, progress });
  try {
    if (call === "start") {
      started ??= start(values, tell);
      await started;
      port.postMessage({ id });
    } else {
      const result = call === "running" ? module !== undefined : answer(module[call](...values));
      const large = Array.isArray(result) ? result.filter(ArrayBuffer.isView) : [];
      port.postMessage({ id, result }, large.map(({ buffer }) => buffer));
    }
  } catch (error) {
    if (!module) started = undefined;
    // Of a traceback, what was raised.
    const raised = String(error.message ?? error).trim().split("\n").at(-1);
    port.postMessage({ id, error: raised });
  }
};

// Shared by pages, or of one page alone.
const serve = (port) => { port.onmessage = ({ data }) => hear(port, data); };
if ("onconnect" in self) onconnect = ({ ports: [port] }) => serve(port);
else serve(self);
