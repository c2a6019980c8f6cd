// Runs MicroPython on an emulated Raspberry Pi Pico: node pico.mjs < JOB.json > RESULT.json
//
// Job: {
//   folder      what firmware/build_pico.sh made: firmware, boot ROM, emulator
//   firmware    file name in that folder
//   write       [[offset in flash, file], ...] images to put there before the start
//   read        [[offset in flash, bytes, file], ...] parts of the flash to save at the end
//   until       stop when the console shows this
//   seconds     stop after so many seconds of this computer's time
// }
// Result: {stopped: "done" or why, console, marks: [[value, cycle, cycle in RAM], ...], cycles, seconds}
//
// A program on the board stamps the cycle counter by writing any value to 0x40070000, an address where an RP2040 has
// nothing; reading it gives the low 32 bits of the counter. "In RAM" counts the instructions that lie there alone: a
// native module's, while MicroPython's own are in flash and boot ROM.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault, makeCore } from './cortex_m0plus.mjs';
import { SecondCore } from './second_core.mjs';

const NANOSECONDS = 8; // a cycle at 125 MHz
const FLASH = 0x10000000;
const MARKER = 0x40070; // the marker's address over 4096
const SLICE = 2_000_000; // cycles between looks at the time

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
const load = (file) => import(pathToFileURL(path.join(job.folder, 'npm/node_modules/rp2040js/dist/esm', file)));
const { RP2040 } = await load('rp2040.js');
const { CortexM0Core } = await load('cortex-m0-core.js');
const { SimulationClock } = await load('clock/simulation-clock.js');
const { RPSIO } = await load('sio.js');
const { BasePeripheral } = await load('peripherals/peripheral.js');

// Emulated time: cycles that the core has run since the clock was last moved on count at once.
class Clock extends SimulationClock {
  get nanos() {
    return this.nanosCounter + (core === undefined ? 0 : chip.core.spent * NANOSECONDS);
  }

  linkAlarm(nanos, alarm) {
    if (core !== undefined) core.pause = true; // it may be due before the slice ends
    return super.linkAlarm(nanos, alarm);
  }
}

class Marker extends BasePeripheral {
  readUint32() {
    return now() >>> 0;
  }

  writeUint32(offset, value) {
    marks.push([value >>> 0, now(), core.inRam]);
  }
}

let core, stopped = '', text = '', booked = 0;
const marks = [];
const now = () => booked + chip.core.spent;

const clock = new Clock();
const chip = new RP2040(clock);
const quiet = () => {};
chip.logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const rom = fs.readFileSync(path.join(job.folder, 'bootrom.bin'));
chip.loadBootrom(new Uint32Array(rom.buffer.slice(rom.byteOffset, rom.byteOffset + rom.length)));
const Core = makeCore(CortexM0Core);
chip.core = core = new Core(chip);
const core1 = new SecondCore(chip, Core, RPSIO);
chip.peripherals[MARKER] = new Marker(chip, 'marker');

// Erasing and programming flash: rp2040js knows no serial flash, so the boot ROM's two functions for it, found as the
// Pico SDK finds them, become a breakpoint each; the flash is changed here, in no time.
function romFunction(name) {
  const half = (at) => rom.readUInt16LE(at);
  const code = name.charCodeAt(0) | (name.charCodeAt(1) << 8);
  for (let at = half(0x14); half(at); at += 4) if (half(at) === code) return half(at + 2) & ~1;
  throw new Error(`no function ${name} in the boot ROM`);
}
const ERASE = 1, PROGRAM = 2, BKPT = 0xbe00, BX_LR = 0x4770;
for (const [name, number] of [['RE', ERASE], ['RP', PROGRAM]]) {
  core.rom16.set([BKPT | number, BX_LR], romFunction(name) / 2);
}
chip.onBreak = (number) => {
  const [offset, second, third] = chip.core.registers;
  if (number === ERASE) chip.flash.fill(0xff, offset, offset + second);
  else if (number === PROGRAM) for (let i = 0; i < third; i++) chip.flash[offset + i] &= chip.core.load8(second + i);
  else throw new Fault(`breakpoint ${number}, instruction at 0x${(chip.core.PC - 2).toString(16)}`);
};

// The console is UART0. rp2040js keeps the transmitter's interrupt raised for ever, which would hold MicroPython in
// its interrupt handler; its FIFO is never full, so nobody waits for that interrupt.
const uart = chip.uart[0];
uart.checkInterrupts = function () {
  chip.setInterrupt(this.irq, !!(this.interruptStatus & this.interruptMask));
};
uart.onByte = (byte) => {
  text += String.fromCharCode(byte);
  if (text.endsWith(job.until)) stop('done');
};

function stop(why) {
  stopped = why;
  core.pause = true;
}

chip.flash.set(fs.readFileSync(path.join(job.folder, job.firmware)));
for (const [offset, file] of job.write) chip.flash.set(fs.readFileSync(file), offset);

const started = performance.now();
const seconds = () => (performance.now() - started) / 1000;
core.reset();
core.PC = FLASH; // where the boot ROM would go: the second boot stage at the start of the flash
try {
  while (!stopped) {
    const untilAlarm = clock.nextAlarm === null ? Infinity : (clock.nextAlarm.nanos - clock.nanosCounter) / NANOSECONDS;
    const budget = Math.min(untilAlarm, SLICE);
    let spent;
    if (core1.running) spent = core1.runBoth(budget);
    else {
      if (!core.waiting) core.run(budget);
      else if (untilAlarm === Infinity) stop('asleep, with nothing that could wake it');
      else core.spent = untilAlarm;
      spent = core1.book();
    }
    booked += spent;
    clock.tick(spent * NANOSECONDS);
    if (stopped) break;
    if (seconds() > job.seconds) stop(`still running after ${job.seconds} seconds`);
  }
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  stop(`HardFault: ${error.message}`);
}
for (const [offset, bytes, file] of job.read) fs.writeFileSync(file, chip.flash.subarray(offset, offset + bytes));
const console = Buffer.from(text, 'latin1').toString('utf8');
process.stdout.write(JSON.stringify({ stopped, console, marks, cycles: Math.round(now()), seconds: seconds() }));
