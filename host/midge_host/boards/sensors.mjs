// Sensors on the emulated Pico's pins, which send what a file holds, by the chip's own clock. What MicroPython's drivers
// take of the processor, and what they lose, is as on the chip:
//
// {kind: "microphone", sck, ws, sd, file}   I2S, 24 bits in 32, left channel; the file has its samples, int16
// {kind: "accelerometer", sda, scl, file}   MPU6050 at 0x68 on an I2C bus; the file has x, y, z, int16, 100 a second
//
// After the end of its file a sensor sends zeros.

import fs from 'node:fs';

const NANOSECONDS = 8; // a cycle at 125 MHz
const BATCH = 64; // instructions of a state machine that run at once, when the last is due: a word of I2S

export function connect(chip, clock, sensors) {
  for (const pio of chip.pio) keepTime(pio, clock);
  for (const { kind, file, ...pins } of sensors) {
    const raw = fs.readFileSync(file);
    const values = new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
    const wires = Object.fromEntries(Object.entries(pins).map(([signal, number]) => [signal, chip.gpio[number]]));
    if (kind === 'microphone') microphone(wires, values);
    else if (kind === 'accelerometer') accelerometer(chip, clock, wires, values);
    else throw new Error(`no sensor ${kind}`);
  }
  // rp2040js asks all pins for their inputs, twice a bit of I2S; only these have some.
  const inputs = sensors.flatMap(({ sd, sda, scl }) => [sd, sda, scl]).filter((number) => number !== undefined);
  Object.defineProperty(chip, 'gpioValues', {
    get: () => inputs.reduce((bits, number) => bits | (chip.gpio[number].inputValue ? 1 << number : 0), 0),
  });
}

// rp2040js runs its state machines whenever node is idle. Here they keep the pace that their divider sets: that of the
// first which is enabled, for all of a PIO. Delays in instructions are not modelled, as in rp2040js.
function keepTime(pio, clock) {
  const alarm = clock.createAlarm(() => {
    if (pio.stopped) return;
    for (let i = 0; i < BATCH; i++) pio.step();
    pio.run();
  });
  pio.run = () => {
    const { clockDivInt, clockDivFrac } = pio.machines.find((machine) => machine.enabled);
    alarm.schedule(BATCH * ((clockDivInt || 65536) + clockDivFrac / 256) * NANOSECONDS);
  };
}

const isLow = (pin) => pin.outputEnable && !pin.outputValue;

// A bit follows each falling edge of the clock, the most significant one first; a word begins at the falling edge after
// the rising one at which the word select has changed.
function microphone({ sck, ws, sd }, samples) {
  let next = 0, word = 0, isLeft = true, begins = false;
  sck.addListener(() => {
    if (!isLow(sck)) {
      begins = isLow(ws) !== isLeft;
      isLeft = isLow(ws);
      return;
    }
    if (begins) word = isLeft && next < samples.length ? samples[next++] << 16 : 0;
    sd.setInputValue(word < 0);
    word <<= 1;
  });
}

const ADDRESS = 0x68, RANGE = 0x1c, FOUR_G = 0x08, POWER = 0x6b, ASLEEP = 0x40, FIRST = 0x3b, AXES = 3;
const SAMPLE_NANOSECONDS = 10e6;

// Its registers answer the chip's I2C block. While the pins are the processor's, as when MicroPython scans the bus bit
// by bit, it acknowledges its address.
function accelerometer(chip, clock, { sda, scl }, values) {
  const registers = new Uint8Array(128);
  registers[POWER] = ASLEEP;
  let at = 0, isFirst = false;

  function sample() {
    if (registers[POWER] & ASLEEP || registers[RANGE] !== FOUR_G) return;
    const now = Math.floor(clock.nanos / SAMPLE_NANOSECONDS) * AXES;
    const view = new DataView(registers.buffer);
    for (let axis = 0; axis < AXES; axis++) view.setInt16(FIRST + 2 * axis, values[now + axis] ?? 0);
  }

  const bus = chip.i2c[(sda.index >> 1) & 1];
  const after = (bits, action) => {
    clock.createAlarm(action).schedule(bits * (bus.sclLowPeriod + bus.sclHighPeriod) * NANOSECONDS);
  };
  bus.onStart = () => after(1, () => bus.completeStart());
  bus.onStop = () => after(1, () => bus.completeStop());
  bus.onConnect = (address) => {
    isFirst = true;
    after(9, () => bus.completeConnect(address === ADDRESS));
  };
  bus.onWriteByte = (value) => {
    if (isFirst) at = value & 127;
    else registers[at++ & 127] = value;
    isFirst = false;
    after(9, () => bus.completeWrite(true));
  };
  bus.onReadByte = () => {
    if (at === FIRST) sample();
    const value = registers[at++ & 127];
    after(9, () => bus.completeRead(value));
  };

  let bits = Infinity, byte = 0, wasLow = { sda: false, scl: false };
  const changed = () => {
    const now = { sda: isLow(sda), scl: isLow(scl) };
    if (!now.scl && !wasLow.scl && now.sda && !wasLow.sda) bits = byte = 0; // the start of a transfer
    else if (wasLow.scl && !now.scl && bits++ < 8) byte = (byte << 1) | !now.sda;
    wasLow = now;
    const acknowledges = byte >> 1 === ADDRESS && (bits === 8 ? now.scl : bits === 9 && !now.scl);
    scl.setInputValue(!now.scl);
    sda.setInputValue(!now.sda && !acknowledges);
  };
  sda.addListener(changed);
  scl.addListener(changed);
  changed();
}
