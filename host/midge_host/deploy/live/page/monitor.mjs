// The page of `midge monitor --web`: what a board prints, as /events tells it.

import { element, shown } from "./elements.mjs";

const KEPT = 300; // predictions in the plot
const LISTED = 20; // events and other lines
const COLOURS = ["#2f6fde", "#1f8a4c", "#b3261e", "#8a5cd1", "#b06f00", "#00838f", "#c2185b", "#5b6470"];
const SVG = "http://www.w3.org/2000/svg";

const find = (id) => document.getElementById(id);
const labels = new Map(); // of each its row, line, entry in the legend, and its last scores
let predictions = 0;

const source = new EventSource("events");
source.onopen = () => (find("status").textContent = "connected");
source.onerror = () => (find("status").textContent = "no connection to midge monitor; it goes on when that is back");
source.onmessage = (message) => {
  const { seconds, scores, event, text } = JSON.parse(message.data);
  if (scores) show(scores);
  else if (event) list("heard", `${seconds.toFixed(2)} s  ${event.label} ${shown(event.score)}`);
  else list("lines", text);
  if (scores) find("time").textContent = `${predictions.toLocaleString("en")} predictions, ${seconds.toFixed(1)} s`;
};

function list(id, text) {
  const target = find(id);
  target.prepend(element("li", {}, text));
  while (target.children.length > LISTED) target.lastChild.remove();
}

function show(scores) {
  predictions++;
  for (const [label, score] of Object.entries(scores)) {
    const { last } = labels.get(label) ?? add(label);
    last.push(score);
    if (last.length > KEPT) last.shift();
  }
  const all = [...labels.values()].flatMap(({ last }) => last);
  const low = Math.min(0, ...all), high = Math.max(1, ...all);
  find("range").textContent = `from ${shown(low)} to ${shown(high)}`;
  const best = Object.keys(scores).reduce((a, b) => (scores[b] > scores[a] ? b : a));
  find("answer").textContent = `${best} ${shown(scores[best])}`;
  for (const [label, { row, line, last }] of labels) {
    const now = last.at(-1), share = (value) => (value - low) / (high - low);
    row.children[1].style.width = `${100 * share(now)}%`;
    row.children[2].textContent = shown(now);
    row.classList.toggle("best", label === best);
    line.setAttribute("points", last.map((v, i) => `${KEPT - last.length + i},${100 - 98 * share(v) - 1}`).join(" "));
  }
}

function add(label) {
  const colour = COLOURS[labels.size % COLOURS.length];
  const row = element("div", { className: "score" });
  row.append(element("span", { title: label }, label), element("div", { className: "bar" }), element("span"));
  find("scores").append(row);
  const line = document.createElementNS(SVG, "polyline");
  for (const [name, value] of Object.entries({ fill: "none", stroke: colour, "stroke-width": 1.5 })) {
    line.setAttribute(name, value);
  }
  line.setAttribute("vector-effect", "non-scaling-stroke");
  find("plot").append(line);
  const mark = element("span", {}, "\u25cf");
  mark.style.color = colour;
  find("legend").append(element("span", {}, mark, ` ${label}`));
  labels.set(label, { row, line, last: [] });
  return labels.get(label);
}
