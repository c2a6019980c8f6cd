// Calls functions on the emulated Cortex-M0+ of midge's boards: node count_cycles.mjs CORE.mjs < JOB.json > RESULT.json
//
// Job: {
//   image      bytes (base64) that every call finds at the address `base`, in RAM from 0x20000000
//   base, entry
//   calls      [{memory, at, argument, read: [address, bytes]}, ...]: `memory` (base64) goes to the address `at`
//   profile    whether to count every instruction
//   limit      cycles after which a call is given up
// }
// Result: for each call {result, cycles, output} and, when profiled, executed: [[address, times, cycles], ...];
// or {fault: why}.
//
// All code and data are in RAM, where no access waits. Cycles go from the function's first instruction to its return.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const { Fault, makeCore } = await import(pathToFileURL(path.resolve(process.argv[2])));

const RAM = 0x20000000, RAM_BYTES = 264 << 10;
const RETURN = RAM; // where calls return to: a breakpoint, below `base`
const BKPT = 0xbe00;

// What the core needs of a chip that has nothing but RAM.
class Bare {
  constructor(chip) {
    this.rp2040 = chip;
    this.registers = new Uint32Array(16);
    this.waiting = this.interruptsUpdated = false;
  }

  BXWritePC(address) {
    this.registers[15] = address & ~1;
  }
}

const nothing = (address) => {
  throw new Fault(`access to 0x${(address >>> 0).toString(16)}, where there is no RAM`);
};
const chip = {
  sram: new Uint8Array(RAM_BYTES), flash: new Uint8Array(0), bootrom: new Uint32Array(0),
  readUint32: nothing, readUint16: nothing, readUint8: nothing,
  writeUint32: nothing, writeUint16: nothing, writeUint8: nothing,
};
const core = new (makeCore(Bare))(chip);
let returned = false;
chip.onBreak = () => {
  returned = core.pause = true;
};

function start(job, call) {
  chip.sram.fill(0);
  core.ram16[0] = BKPT;
  chip.sram.set(job.image, job.base - RAM);
  chip.sram.set(Buffer.from(call.memory, 'base64'), call.at - RAM);
  core.registers.fill(0);
  core.registers[0] = call.argument;
  core.registers[13] = RAM + RAM_BYTES;
  core.registers[14] = RETURN | 1;
  core.registers[15] = job.entry & ~1;
  core.APSR = 0;
  core.spent = 0;
  returned = false;
}

// As core.run(), with each instruction noted.
function runCounting(limit) {
  const times = new Float64Array(RAM_BYTES >> 1), cycles = new Float64Array(RAM_BYTES >> 1);
  while (!returned && core.spent < limit) {
    const at = (core.registers[15] - RAM) >>> 1, before = core.spent;
    core.step();
    times[at]++;
    cycles[at] += core.spent - before;
  }
  const executed = [];
  times.forEach((n, at) => {
    if (n && at) executed.push([RAM + 2 * at, n, cycles[at]]);
  });
  return executed;
}

function run(job, call) {
  start(job, call);
  let executed;
  try {
    if (job.profile) executed = runCounting(job.limit);
    else core.run(job.limit);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { fault: error.message };
  }
  if (!returned) return { fault: `no return after ${job.limit} cycles` };
  const [address, bytes] = call.read;
  const output = Buffer.from(chip.sram.subarray(address - RAM, address - RAM + bytes)).toString('base64');
  return { result: core.registers[0], cycles: core.spent - 1, output, executed }; // without the breakpoint
}

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
job.image = Buffer.from(job.image, 'base64');
fs.writeSync(1, JSON.stringify(job.calls.map((call) => run(job, call))));
