// Python in a worker: loads Pyodide and answers with what functions of one Python module return.
"use strict";
let module;

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

onmessage = async ({ data: { id, call, values } }) => {
  const tell = (progress) => postMessage({ id, progress });
  try {
    if (call === "start") postMessage({ id, result: await start(values, tell) });
    else postMessage({ id, result: answer(module[call](...values)) });
  } catch (error) {
    // Of a traceback, what was raised.
    postMessage({ id, error: String(error.message ?? error).trim().split("\n").at(-1) });
  }
};
