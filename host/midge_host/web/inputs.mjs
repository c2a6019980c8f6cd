// Where readings come from. An input is made for a model's input tensors; it has an element, and calls send(reading) with
// what Model.predict() takes, or fail(error). Of sound, send(samples, true) gives all there is at once.

import { button, element, fileButton, shown } from "./elements.mjs";

const LARGE = 32; // pixels: pictures of up to so many are drawn, larger ones come from a camera
const SLIDERS = 32; // values

/** Height, width and channels of a tensor of pixels; null for other values. */
function pictureOf({ shape, element }) {
  const dims = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  const [height, width, channels = 1] = dims;
  const isPicture = (dims.length === 3 || dims.length === 2) && (channels === 1 || channels === 3);
  const square = Math.min(height, width) >= 16 && Math.max(height, width) <= 2 * Math.min(height, width);
  return isPicture && square && element === "int8" ? { height, width, channels } : null;
}

/** The kinds of input that a model can have, the likeliest first: lists of a name and a class. */
export function kindsOf(model) {
  if (model.hop) {
    return [
      ["Microphone", Microphone],
      ["Sound file", SoundFile],
    ];
  }
  const picture = model.inputs.length === 1 && pictureOf(model.inputs[0]);
  if (!picture) return [["Values", Values]];
  const isSmall = picture.channels === 1 && Math.max(picture.height, picture.width) <= LARGE;
  const kinds = [
    ["Webcam", Webcam],
    ["Picture", Picture],
    ["Values", Values],
  ];
  return picture.channels === 1 ? (isSmall ? [["Draw", Draw], ...kinds] : [...kinds, ["Draw", Draw]]) : kinds;
}

// What a model sees of a picture, as a small canvas and as bytes.
class Seen {
  constructor(model) {
    this.picture = pictureOf(model.inputs[0]);
    const { width, height } = this.picture;
    this.canvas = element("canvas", { className: "seen", width, height, title: "what the model sees" });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  // The middle of an image, as large as the model's shape allows, without distortion.
  show(image, imageWidth, imageHeight) {
    const { width, height } = this.picture;
    const scale = Math.min(imageWidth / width, imageHeight / height);
    const [w, h] = [width * scale, height * scale];
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(image, (imageWidth - w) / 2, (imageHeight - h) / 2, w, h, 0, 0, width, height);
    return this.reading();
  }

  // RGB, or their luminance (BT.601).
  reading() {
    const { width, height, channels } = this.picture;
    const rgba = this.context.getImageData(0, 0, width, height).data;
    const pixels = new Uint8Array(width * height * channels);
    for (let i = 0; i < width * height; i++) {
      const [r, g, b] = rgba.subarray(4 * i, 4 * i + 3);
      if (channels === 3) pixels.set([r, g, b], 3 * i);
      else pixels[i] = (77 * r + 150 * g + 29 * b) >> 8;
    }
    return pixels;
  }
}

class Draw {
  constructor(model, send) {
    this.send = send;
    this.seen = new Seen(model);
    const { width, height } = this.seen.picture;
    this.scale = Math.max(1, Math.round(280 / width)); // pixels of the canvas for one of the model's
    const size = { width: width * this.scale, height: height * this.scale };
    this.canvas = element("canvas", { className: "draw", ...size });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.canvas.onpointerdown = (event) => this.stroke(event, true);
    this.canvas.onpointermove = (event) => event.buttons && this.stroke(event, false);
    this.element = element(
      "div",
      {},
      this.canvas,
      element("p", { className: "faint" }, "Draw here, large and in the middle."),
      element("div", { className: "row" }, this.seen.canvas, button("Clear", () => this.clear())),
    );
    this.clear();
  }

  clear() {
    this.context.fillStyle = "black";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.update();
  }

  stroke(event, begins) {
    const ratio = this.canvas.width / this.canvas.clientWidth;
    const [x, y] = [event.offsetX * ratio, event.offsetY * ratio];
    if (begins) this.canvas.setPointerCapture(event.pointerId);
    const [fromX, fromY] = begins ? [x, y] : this.last;
    Object.assign(this.context, { strokeStyle: "white", lineWidth: this.canvas.width / 13, lineCap: "round" });
    this.context.beginPath();
    this.context.moveTo(fromX, fromY);
    this.context.lineTo(x, y);
    this.context.stroke();
    this.last = [x, y];
    this.update();
  }

  // Each of the model's pixels is the mean of those of the canvas.
  update() {
    const { width, height } = this.seen.picture;
    const { data } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    const small = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      const corner = Math.floor(i / width) * this.scale * this.canvas.width + (i % width) * this.scale;
      let sum = 0;
      for (let y = 0; y < this.scale; y++) {
        for (let x = 0; x < this.scale; x++) sum += data[4 * (corner + y * this.canvas.width + x)];
      }
      const grey = Math.round(sum / this.scale ** 2);
      small.data.set([grey, grey, grey, 255], 4 * i);
    }
    this.seen.context.putImageData(small, 0, 0);
    this.send(this.seen.reading());
  }

  stop() {}
}

// The stream of a camera or microphone for an input; null where that was stopped while the browser asked, which may take
// any time.
async function opened(input, wanted) {
  const asked = (input.asked = {});
  const stream = await navigator.mediaDevices.getUserMedia(wanted);
  if (input.asked === asked) return stream;
  stream.getTracks().forEach((track) => track.stop());
  return null;
}

class Webcam {
  constructor(model, send, fail) {
    this.send = send;
    this.fail = fail;
    this.seen = new Seen(model);
    this.video = element("video", { muted: true, playsInline: true });
    this.button = button("Start the camera", () => (this.asked ? this.stop() : this.start()));
    const row = element("div", { className: "row" }, this.seen.canvas, this.button);
    this.element = element("div", {}, this.video, row);
  }

  async start() {
    try {
      if (!navigator.mediaDevices) throw new Error("a page may use the camera on https:// or localhost only");
      this.stream = await opened(this, { video: { facingMode: "environment" } });
      if (!this.stream) return;
      this.video.srcObject = this.stream;
      await this.video.play();
    } catch (error) {
      this.stop();
      this.fail(new Error(`no camera: ${error.message}`));
      return;
    }
    this.button.textContent = "Stop the camera";
    this.frame();
  }

  frame() {
    if (!this.stream) return;
    if (this.video.videoWidth) this.send(this.seen.show(this.video, this.video.videoWidth, this.video.videoHeight));
    requestAnimationFrame(() => this.frame());
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.asked = null;
    this.button.textContent = "Start the camera";
  }
}

class Picture {
  constructor(model, send, fail) {
    this.seen = new Seen(model);
    const choose = fileButton("Choose a picture", "image/*", async (file) => {
      try {
        const image = await createImageBitmap(file);
        send(this.seen.show(image, image.width, image.height));
      } catch {
        fail(new Error(`${file.name} is no picture that this browser can read`));
      }
    });
    this.element = element("div", { className: "row" }, this.seen.canvas, choose);
  }

  stop() {}
}

// int16 samples of real values from -1 to 1.
function samplesOf(values) {
  return Int16Array.from(values, (value) => Math.max(-32768, Math.min(32767, Math.round(value * 32768))));
}

// The samples of a WAV file of int16, one channel and this rate, as they are; null for another file. Browsers decode it
// too, and round.
function samplesOfWav(data, rate) {
  const view = new DataView(data);
  const tag = (at) => (at + 8 <= data.byteLength ? view.getUint32(at) : 0);
  const [RIFF, WAVE, FMT, DATA] = [0x52494646, 0x57415645, 0x666d7420, 0x64617461];
  if (tag(0) !== RIFF || tag(8) !== WAVE) return null;
  let fits = false;
  for (let at = 12, bytes; tag(at); at += 8 + bytes + (bytes & 1)) {
    bytes = view.getUint32(at + 4, true);
    if (at + 8 + bytes > data.byteLength) return null;
    if (tag(at) === FMT && bytes >= 16) {
      const [format, channels] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
      const [found, bits] = [view.getUint32(at + 12, true), view.getUint16(at + 22, true)];
      fits = format === 1 && channels === 1 && found === rate && bits === 16;
    }
    if (tag(at) === DATA) return fits ? new Int16Array(data.slice(at + 8, at + 8 + (bytes & ~1))) : null;
  }
  return null;
}

class Microphone {
  constructor(model, send, fail) {
    Object.assign(this, { model, send, fail });
    this.level = element("meter", { min: 0, max: 1, ariaLabel: "loudness" });
    this.button = button("Start listening", () => (this.asked ? this.stop() : this.start()));
    this.element = element("div", { className: "row" }, this.button, this.level);
  }

  async start() {
    const plain = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    try {
      if (!navigator.mediaDevices) throw new Error("a page may use the microphone on https:// or localhost only");
      this.stream = await opened(this, { audio: plain });
      if (!this.stream) return;
      this.context = new AudioContext({ sampleRate: this.model.rate });
      await this.context.audioWorklet.addModule("listener.mjs");
      const listener = new AudioWorkletNode(this.context, "listener");
      listener.port.onmessage = ({ data }) => this.hear(data);
      this.context.createMediaStreamSource(this.stream).connect(listener);
      await this.context.resume();
      this.button.textContent = "Stop listening";
    } catch (error) {
      this.stop();
      this.fail(new Error(`no microphone: ${error.message}`));
    }
  }

  hear(values) {
    if (!this.context) return;
    const peak = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    this.level.value = Math.max(peak, 0.9 * this.level.value);
    this.send(samplesOf(values));
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.stream = this.context = this.asked = null;
    this.level.value = 0;
    this.button.textContent = "Start listening";
  }
}

class SoundFile {
  constructor(model, send, fail) {
    const choose = fileButton("Choose a sound", "audio/*", async (file) => {
      try {
        const data = await file.arrayBuffer();
        const decoder = new OfflineAudioContext(1, 1, model.rate);
        const samples =
          samplesOfWav(data, model.rate) ?? samplesOf((await decoder.decodeAudioData(data)).getChannelData(0));
        send(samples, true);
      } catch {
        fail(new Error(`${file.name} is no sound that this browser can read`));
      }
    });
    this.element = element("div", { className: "row" }, choose);
  }

  stop() {}
}

// The numbers of a text, whatever is between them.
function numbersIn(text) {
  return (text.match(/[^\s,;[\](){}]+/g) ?? []).map((word) => {
    const number = Number(word);
    if (Number.isNaN(number) && word.toLowerCase() !== "nan") throw new Error(`"${word}" is not a number`);
    return number;
  });
}

// The least and largest real value of value i of a tensor.
function rangeOf(tensor, i) {
  if (tensor.element === "float32") return [-10, 10];
  if (tensor.element === "int32") return [-100, 100];
  const [scale, zero] = tensor.channels[i % tensor.channels.length] ?? [tensor.scale, tensor.fields.zero_point];
  const most = tensor.element === "int8" ? 128 : 32768;
  return [(-most - zero) * scale, (most - 1 - zero) * scale];
}

class Values {
  constructor(model, send, fail) {
    Object.assign(this, { model, send, fail });
    this.readings = model.inputs.map((tensor) =>
      Array.from({ length: tensor.size }, (_, i) => {
        const [low, high] = rangeOf(tensor, i);
        return Math.min(high, Math.max(low, 0));
      }),
    );
    this.element = element("div", {}, ...model.inputs.map((tensor, input) => this.fields(tensor, input)));
    if (model.inputs.length === 1) this.element.append(...this.table());
    this.update();
  }

  update() {
    this.send(this.readings.length > 1 ? this.readings : this.readings[0]);
  }

  fields(tensor, input) {
    const isShort = tensor.size <= SLIDERS;
    const sliders = isShort ? this.readings[input].map((_, i) => this.slider(tensor, input, i)) : [];
    const box = element("textarea", { ariaLabel: tensor.name, placeholder: `${tensor.size} numbers` });
    const use = () => {
      try {
        const numbers = numbersIn(box.value);
        if (numbers.length !== tensor.size) throw new Error(`${numbers.length} numbers; ${tensor.size} are needed`);
        this.readings[input] = numbers;
        sliders.forEach((slider, i) => slider.show(numbers[i]));
        this.update();
      } catch (error) {
        this.fail(error);
      }
    };
    return element(
      "div",
      {},
      element("h3", {}, `${tensor.name}: ${tensor.shape.join(" x ")}`),
      ...sliders.map((slider) => slider.element),
      box,
      button("Use these numbers", use),
    );
  }

  slider(tensor, input, i) {
    const [min, max] = rangeOf(tensor, i);
    const value = this.readings[input][i];
    const step = tensor.element === "int32" ? 1 : "any";
    const range = Object.assign(element("input", { type: "range", ariaLabel: `value ${i}` }), { min, max, step, value });
    const label = element("output", {}, shown(value));
    range.oninput = () => {
      this.readings[input][i] = Number(range.value);
      label.textContent = shown(this.readings[input][i]);
      this.update();
    };
    const show = (number) => {
      range.value = number;
      label.textContent = shown(number);
    };
    return { element: element("div", { className: "slider" }, String(i), range, label), show };
  }

  // A CSV file: a reading in each line, with a label behind it if there is one more column.
  table() {
    const place = element("p", { className: "faint" });
    let [rows, at] = [[], 0];
    const show = (row) => {
      at = Math.max(0, Math.min(rows.length - 1, row));
      if (!rows.length) return;
      const { numbers, label } = rows[at];
      place.textContent = `line ${at + 1} of ${rows.length}${label === undefined ? "" : `, labelled ${label}`}`;
      this.send(numbers);
    };
    const choose = fileButton("Open a CSV file", ".csv,text/csv,text/plain", async (file) => {
      try {
        rows = readTable(await file.text(), this.model.inputs[0].size);
        show(0);
      } catch (error) {
        this.fail(new Error(`${file.name}: ${error.message}`));
      }
    });
    const move = (label, by) => button(label, () => show(at + by));
    return [element("div", { className: "row" }, choose, move("Line before", -1), move("Next line", 1)), place];
  }

  stop() {}
}

// Lines of `size` values, between commas, semicolons or tabs, and perhaps a label. The first may hold names.
function readTable(text, size) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  const rows = [];
  lines.forEach((line, i) => {
    const cells = line.split(/[,;\t]/).map((cell) => cell.trim());
    const label = cells.length === size + 1 ? cells.pop() : undefined;
    try {
      if (cells.length !== size) throw new Error(`${cells.length} columns; ${size} are needed`);
      rows.push({ numbers: numbersIn(cells.join(" ")), label });
    } catch (error) {
      if (i > 0) throw new Error(`line ${i + 1}: ${error.message}`);
    }
  });
  if (!rows.length) throw new Error("no line of so many numbers");
  return rows;
}
