// The page of `midge web`: chooses a model and its input, shows scores, layers and time.

import { element, fileButton, shown } from "./elements.mjs";
import { kindsOf } from "./inputs.mjs";
import { Detector, load } from "./midge.mjs";

const MOST_SCORES = 12; // of more classes, the best of them
const EVENTS = 5; // that were heard, the newest first
const SAMPLES = 50; // predictions that a mean of times is of

const $ = (id) => document.getElementById(id);

// The last so many of a measurement, and their mean.
class Mean {
  #values = [];

  add(value) {
    this.#values.push(value);
    if (this.#values.length > SAMPLES) this.#values.shift();
  }

  get value() {
    return this.#values.reduce((a, b) => a + b, 0) / this.#values.length;
  }
}

// A model on show: from a reading to what stands on the page.
class Show {
  constructor(model, bytes, selftest) {
    this.model = model;
    this.time = new Mean();
    this.layers = model.operators.map(() => new Mean());
    this.outs = model.outputs.map((tensor) => new Float32Array(tensor.size));
    this.results = this.outs.length > 1 ? this.outs : this.outs[0];
    this.count = 0;
    $("title").textContent = model.name;
    this.detector = model.hop ? new Detector(model) : null;
    $("heard").replaceChildren();
    $("reset").hidden = !(model.streaming || model.hop);
    $("reset").onclick = () => (this.detector ?? model).reset();
    const sizes = [
      [bytes, "the file"],
      [model.weightsBytes, "weights"],
      [model.arenaBytes, "working memory"],
    ];
    $("memory").textContent = [...sizes.map(([n, what]) => `${shown(n)} bytes: ${what}`), selftest].join("; ");
    this.rows = model.operators.map((operator, i) => {
      const time = element("td", { className: "number" });
      const bar = element("div", { className: "bar" });
      bar.style.width = "0"; // as long as nothing is measured
      const cell = (...content) => element("td", {}, ...content);
      const share = element("td", { className: "share" }, bar);
      const kind = [cell(operator.operator), cell(`${shown(operator.bytes)} bytes`)];
      return { row: element("tr", {}, cell(String(i)), cell(operator.name), time, share, ...kind), time, bar };
    });
    $("layers").replaceChildren(...this.rows.map(({ row }) => row));
  }

  // Shows what the model makes of a reading, and what each layer took. A model that remembers runs once only: the layers
  // one by one are a prediction of their own.
  predict(reading) {
    const start = performance.now();
    this.model.predictInto(reading, this.results);
    this.time.add(performance.now() - start);
    this.count++;
    this.showScores();
    const { value } = this.time;
    $("time").textContent = `${shown(value)} ms a prediction on this machine, ${shown(this.count)} so far`;
    if (!this.model.streaming) this.showLayers(this.model.profile(reading));
  }

  // Shows what the model makes of samples: its newest scores; `all` there is at once: the highest ones.
  hear(samples, all) {
    if (all) this.detector.reset();
    const highest = this.outs[0].slice().fill(-Infinity);
    const start = performance.now();
    const due = this.model.predictEach(samples, this.results, () => {
      this.count++;
      this.outs[0].forEach((score, i) => (highest[i] = Math.max(highest[i], score)));
      const event = this.detector.update(this.outs[0]);
      if (event) this.showEvent(...event);
    });
    this.time.add((performance.now() - start) * (this.model.rate / samples.length));
    if (!due) return;
    if (all) this.outs[0].set(highest);
    this.showScores();
    const { value } = this.time;
    $("time").textContent = `${shown(value)} ms for a second of sound on this machine, ${shown(this.count)} predictions so far`;
  }

  showEvent(label, score) {
    $("heard").prepend(element("li", {}, `heard ${label} (${shown(score)})`));
    if ($("heard").children.length > EVENTS) $("heard").lastChild.remove();
  }

  showScores() {
    const [first] = this.outs;
    const order = Array.from(first.keys()).sort((a, b) => first[b] - first[a]);
    const label = (i) => this.model.labels[i] ?? String(i);
    const isOne = first.length === 1;
    $("answer").textContent = isOne ? shown(first[0]) : label(order[0]);
    const indexes = first.length > MOST_SCORES ? order.slice(0, MOST_SCORES) : order.sort((a, b) => a - b);
    const inUnit = first.every((score) => score >= 0 && score <= 1);
    const [low, high] = inUnit ? [0, 1] : [Math.min(0, ...first), Math.max(0, ...first)];
    const best = first.indexOf(Math.max(...first));
    const lines = indexes.map((i) => {
      const bar = element("div", { className: "bar" });
      bar.style.width = `${(100 * (first[i] - low)) / (high - low || 1)}%`;
      const parts = [element("span", { title: label(i) }, label(i)), bar, element("span", {}, shown(first[i]))];
      const className = i === best && !isOne ? "score best" : "score";
      return element("div", { className, dataset: { score: first[i] } }, ...parts);
    });
    const others = this.outs.slice(1).map((values, i) => {
      const some = Array.from(values.slice(0, MOST_SCORES), shown).join(", ");
      const more = values.length > MOST_SCORES ? ", ..." : "";
      return element("p", { className: "faint" }, `${this.model.outputs[i + 1].name}: ${some}${more}`);
    });
    $("scores").replaceChildren(...lines, ...others);
  }

  showLayers(times) {
    times.forEach(([, microseconds], i) => this.layers[i].add(microseconds));
    const means = this.layers.map((layer) => layer.value);
    const most = Math.max(...means) || 1;
    this.rows.forEach(({ time, bar }, i) => {
      time.textContent = `${shown(Math.round(means[i]))} µs`;
      bar.style.width = `${(100 * means[i]) / most}%`;
    });
  }
}

let input = null; // where readings come from at the moment

function say(message, isBad = false) {
  $("status").textContent = message;
  $("status").className = isBad ? "bad" : "faint";
}

const fail = (error) => say(error.message, true);

function choose(kind, show) {
  input?.stop();
  for (const one of $("kinds").children) one.ariaPressed = String(one.textContent === kind[0]);
  const send = (reading, all) => {
    try {
      if (show.model.hop) show.hear(reading, all);
      else show.predict(reading);
      say("");
    } catch (error) {
      fail(error);
    }
  };
  input = new kind[1](show.model, send, fail);
  $("input").replaceChildren(input.element);
}

// What the file's own test says. A file may come without.
function selftest(model) {
  try {
    model.selftest();
    return "self-test passed: every layer gives the converter's bytes";
  } catch (error) {
    return error.message;
  }
}

let opened = 0; // how many models were asked for: of several at a time, the last is shown

// Shows a model; read(): its file as a Blob.
async function open(name, read) {
  const mine = ++opened;
  try {
    say(`loading ${name}`);
    const file = await read();
    const model = await load(file, { name });
    if (mine !== opened) return;
    const show = new Show(model, file.size, selftest(model));
    const kinds = kindsOf(model);
    const buttons = kinds.map((kind) =>
      element("button", { type: "button", onclick: () => choose(kind, show) }, kind[0]),
    );
    $("kinds").replaceChildren(...buttons);
    $("main").hidden = false;
    document.title = `${name}: midge in the browser`;
    choose(kinds[0], show);
  } catch (error) {
    fail(error);
  }
}

async function download(file) {
  const answer = await fetch(encodeURIComponent(file));
  if (!answer.ok) throw new Error(`${file}: ${answer.status} ${answer.statusText}`);
  return answer.blob();
}

const openFile = (file) => file && open(file.name, () => file);

$("open").append(fileButton("Open a .midge file", "", openFile));
document.body.ondragover = (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
};
document.body.ondragleave = () => document.body.classList.remove("dropping");
document.body.ondrop = (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  openFile(event.dataTransfer.files[0]);
};

const models = await (await fetch("models.json")).json();
$("models").replaceChildren(...models.map(({ name, file }) => element("option", { value: file }, name)));
const openChosen = () => open($("models").selectedOptions[0].textContent, () => download($("models").value));
$("models").onchange = openChosen;
await openChosen();
