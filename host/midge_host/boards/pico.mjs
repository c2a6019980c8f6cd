// Runs MicroPython on an emulated Raspberry Pi Pico: node pico.mjs < JOB.json > RESULT.json
//
// Job: {
//   folder      what firmware/build_pico.sh made: firmware, boot ROM, emulator
//   firmware    file name in that folder
//   write       [[offset in flash, file], ...] images to put there before the start
//   read        [[offset in flash, bytes, file], ...] parts of the flash to save at the end
//   sensors     [{kind, ...}, ...] what is connected to the pins (sensors.mjs)
//   until       stop when the console shows this
//   seconds     stop after so many seconds of this computer's time
//   flash       if there: a file of the whole flash, which changes with it
//   power       if there: it fails in the middle of so many-th change of the flash, and this ends
//   terminal    if there: a file descriptor that is the console, non-blocking; the board then runs until it is killed
// }
// Result: {stopped: "done" or why, console, marks: [[value, cycle, in RAM, in interrupts, asleep], ...], cycles, seconds}
//
// A program on the board stamps the cycle counter by writing any value to 0x40070000, an address where an RP2040 has
// nothing; reading it gives the low 32 bits of the counter. Of the cycles until then a mark has those of instructions
// that lie in RAM (a native module's, while MicroPython's own are in flash and boot ROM), those in interrupt handlers,
// and those that core 0 slept.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault, makeCore } from './cortex_m0plus.mjs';
import { SecondCore } from './second_core.mjs';
import { connect } from './sensors.mjs';

const NANOSECONDS = 8; // a cycle at 125 MHz
const FLASH = 0x10000000, FLASH_BYTES = 2 << 20;
const MARKER = 0x40070; // the marker's address over 4096
const SLICE = 2_000_000; // cycles between looks at the time
const BYTE = 2_000; // cycles from one byte that is typed to the next, about as USB brings them
const LOOK = 100_000; // cycles between looks at the terminal

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
    marks.push([value >>> 0, now(), core.inRam, core.inInterrupts, asleep].map(Math.round));
  }
}

let core, stopped = '', text = '', booked = 0, asleep = 0;
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
const SECTOR = 4096, PAGE = 256;
let changes = 0;
const kept = job.flash === undefined ? undefined : fs.openSync(job.flash, 'r+');
chip.onBreak = (number) => {
  const [offset, second, third] = chip.core.registers;
  if (number === ERASE) change(offset, second, SECTOR, () => 0xff);
  else if (number === PROGRAM) change(offset, third, PAGE, (i) => chip.flash[offset + i] & chip.core.load8(second + i));
  else throw new Fault(`breakpoint ${number}, instruction at 0x${(chip.core.PC - 2).toString(16)}`);
};

// As the boot ROM demands it, whole units change, within the flash. value: what a byte becomes.
function change(offset, bytes, unit, value) {
  if (offset % unit || bytes % unit || offset + bytes > FLASH_BYTES) {
    throw new Fault(`${bytes} bytes of flash from 0x${offset.toString(16)} on are not to be changed`);
  }
  const fails = ++changes === job.power;
  const done = fails ? bytes / 2 : bytes;
  for (let i = 0; i < done; i++) chip.flash[offset + i] = value(i);
  if (kept !== undefined) fs.writeSync(kept, chip.flash, offset, done, offset);
  if (fails) process.exit();
}

// The console is UART0. rp2040js keeps the transmitter's interrupt raised for ever, which would hold MicroPython in
// its interrupt handler; its FIFO is never full, so nobody waits for that interrupt.
const uart = chip.uart[0];
uart.checkInterrupts = function () {
  chip.setInterrupt(this.irq, !!(this.interruptStatus & this.interruptMask));
};
uart.onByte = (byte) => {
  text += String.fromCharCode(byte);
  if (job.terminal === undefined && text.endsWith(job.until)) stop('done');
};

// The terminal: what was typed goes to the board byte by byte.
let fed = 0; // cycle of the last one
const typed = [], block = Buffer.alloc(4096), never = new Int32Array(new SharedArrayBuffer(4));
const rest = () => Atomics.wait(never, 0, 0, 2); // milliseconds

function look() {
  for (let sent = 0; sent < text.length;) {
    const done = busy(() => fs.writeSync(job.terminal, Buffer.from(text.slice(sent), 'latin1')));
    if (done) sent += done;
    else rest(); // until somebody reads
  }
  text = '';
  if (!typed.length) typed.push(...block.subarray(0, busy(() => fs.readSync(job.terminal, block))));
}

// What a call to a non-blocking file gives; 0 where it would have to wait.
function busy(call) {
  try {
    return call();
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error;
    return 0;
  }
}

function stop(why) {
  stopped = why;
  core.pause = true;
}

chip.flash.set(fs.readFileSync(path.join(job.folder, job.firmware)));
for (const [offset, file] of job.write) chip.flash.set(fs.readFileSync(file), offset);
connect(chip, clock, job.sensors);

const started = performance.now();
const seconds = () => (performance.now() - started) / 1000;
core.reset();
core.PC = FLASH; // where the boot ROM would go: the second boot stage at the start of the flash
try {
  while (!stopped) {
    const untilAlarm = clock.nextAlarm === null ? Infinity : (clock.nextAlarm.nanos - clock.nanosCounter) / NANOSECONDS;
    let budget = Math.min(untilAlarm, SLICE);
    if (job.terminal !== undefined) {
      look();
      if (typed.length && now() >= fed + BYTE) {
        uart.feedByte(typed.shift());
        fed = now();
      }
      budget = Math.min(untilAlarm, typed.length ? fed + BYTE - now() : LOOK);
    }
    let spent;
    if (core1.running) spent = core1.runBoth(budget);
    else {
      if (!core.waiting) core.run(budget);
      else if (job.terminal !== undefined) {
        if (!typed.length && untilAlarm === Infinity) rest();
        core.spent = budget;
      } else if (untilAlarm === Infinity) stop('asleep, with nothing that could wake it');
      else asleep += core.spent = untilAlarm;
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
