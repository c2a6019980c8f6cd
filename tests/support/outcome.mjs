// outcome.py in JavaScript. Run by node, it reads files from stdin, as on_javascript of tests/device/test_bad_files.py
// packs them, and prints a list of what came of each.
//
//     node outcome.mjs midge.mjs wasm.wasm

import fs from "node:fs";
import { pathToFileURL } from "node:url";

const [library, core] = process.argv.slice(2);
const { load, crc32, ValueError, MemoryError } = await import(pathToFileURL(library));
const compiled = new WebAssembly.Module(fs.readFileSync(core));
const ARRAYS = { int8: Int8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array };

const oneOrList = (values) => (values.length > 1 ? values : values[0]);
const bytesOf = (values) => new Uint8Array(values.buffer);

// Runs a model in every way; ends in a checksum of its outputs.
function outcome(model) {
  const readings = model.inputs.map((t) => ARRAYS[t.element].from({ length: t.size }, (_, i) => (i * 37 + 11) & 127));
  const pixels = readings.map((values) => (values instanceof Int8Array ? bytesOf(values) : values));
  const outs = model.outputs.map((t) => new ARRAYS[t.element](t.size));
  model.classify(oneOrList(pixels));
  model.reset();
  model.predictInto(oneOrList(readings), oneOrList(outs));
  model.profile(oneOrList(readings));
  let said = "runs";
  try {
    model.selftest();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    said = "differs";
  }
  return `${said} ${outs.reduce((crc, values) => crc32(bytesOf(values), crc), 0)}`;
}

const data = fs.readFileSync(0);
const answers = [];
for (let at = 0; at < data.length; ) {
  const [size, runs] = [data.readUInt32LE(at), data[at + 4]];
  at += 5 + size;
  try {
    const model = await load(new Uint8Array(data.subarray(at - size, at)), { name: "m.midge", core: compiled });
    answers.push(runs ? outcome(model) : "long");
  } catch (error) {
    answers.push(error instanceof ValueError || error instanceof MemoryError ? error.message : error.stack);
  }
}
console.log(JSON.stringify(answers));
