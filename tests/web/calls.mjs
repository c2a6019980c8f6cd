// Run by node: loads a model and evaluates expressions of readings and results, as test_library.py sends them on stdin.
//
//     node calls.mjs midge.mjs wasm.wasm model.midge

import fs from "node:fs";
import { pathToFileURL } from "node:url";

const [library, core, file] = process.argv.slice(2);
const { load } = await import(pathToFileURL(library));
const compiled = new WebAssembly.Module(fs.readFileSync(core));
const model = await load(new Blob([fs.readFileSync(file)]), { name: "m.midge", core: compiled });
const { names, readings, results } = JSON.parse(fs.readFileSync(0));

names.nested = (values, depth) => (depth ? names.nested([values], depth - 1) : values);
names.itself = [];
names.itself.push(names.itself);

const evaluate = (text) => new Function(...Object.keys(names), `return ${text}`)(...Object.values(names));

function attempt(call) {
  try {
    return ["", call()];
  } catch (error) {
    return [error.constructor.name, error.message];
  }
}

const answers = {
  readings: readings.map((text) => attempt(() => model.predict(evaluate(text)))),
  results: results.map((text) =>
    attempt(() => {
      const out = evaluate(text);
      model.predictInto(names.real, out);
      return Array.from(out);
    }),
  ),
  classify: model.classify(names.real),
  selftest: model.selftest(),
  profile: model.profile(names.real).map(([name]) => name),
};
console.log(JSON.stringify(answers));
