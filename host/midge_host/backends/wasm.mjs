// Runs in node: for each line on stdin, which is a job as board_script.py's, loads a model, predicts for every input of a
// file, writes the outputs; prints a report, or what was wrong, in a line.
//
//     node wasm.mjs midge.mjs wasm.wasm

import fs from "node:fs";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const [library, core] = process.argv.slice(2);
const { load } = await import(pathToFileURL(library));
const compiled = new WebAssembly.Module(fs.readFileSync(core));
const ARRAYS = { b: Int8Array, B: Uint8Array, h: Int16Array, i: Int32Array, f: Float32Array };

// A typed array over the bytes at a place.
const view = ([code, size], data, at) => {
  const bytes = size * ARRAYS[code].BYTES_PER_ELEMENT;
  return new ARRAYS[code](data.slice(at, at + bytes));
};
const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const oneOrList = (values) => (values.length > 1 ? values : values[0]);

async function run(job) {
  const model = await load(new Uint8Array(fs.readFileSync(job.model)), { name: job.model, core: compiled });
  const source = fs.readFileSync(job.source);
  const data = source.buffer.slice(source.byteOffset, source.byteOffset + source.length);
  const outs = job.outputs.map(([code, size]) => new ARRAYS[code](size));
  const results = [];
  let [at, milliseconds] = [0, 0];
  for (let i = 0; i < job.count; i++) {
    if (job.reset) model.reset();
    const readings = job.inputs.map((kind) => {
      const values = view(kind, data, at);
      at += values.byteLength;
      return values;
    });
    const keep = () => outs.forEach((values) => results.push(bytesOf(values).slice()));
    const start = performance.now();
    if (model.hop) model.predictEach(oneOrList(readings), oneOrList(outs), keep);
    else model.predictInto(oneOrList(readings), oneOrList(outs));
    milliseconds += performance.now() - start;
    if (!model.hop) keep();
  }
  fs.writeFileSync(job.sink, Buffer.concat(results));
  return { microseconds: (1000 * milliseconds) / Math.max(1, job.count) };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const report = await run(JSON.parse(line)).catch((error) => ({ error: error.message }));
  console.log(JSON.stringify(report));
}
