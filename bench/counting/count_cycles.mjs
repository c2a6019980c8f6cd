// Calls functions on the emulated Cortex-M0+ of midge's boards: node count_cycles.mjs CORE.mjs < JOB.json > RESULT.json
//
// Job: {
//   image      bytes (base64) that every call finds at the address `base`, in RAM from 0x20000000
//   base, entry
//   calls      [{memory, at, argument, read: [address, bytes], fences}, ...]: `memory` (base64) goes to the address
//              `at`. With fences, [[address, bytes, rights], ...], no other memory may be used: rights are 1 to
//              read, 2 to write, 4 to execute, added up
//   profile    whether to count every instruction
//   limit      cycles after which a call is given up
// }
// Result: for each call {result, cycles, output}; when profiled, executed: [[address, times, cycles], ...]; with
// fences, stack: bytes of it. Or {fault: why}.
//
// All code and data are in RAM, where no access waits. Cycles go from the function's first instruction to its return.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const { Fault, makeCore } = await import(pathToFileURL(path.resolve(process.argv[2])));

const RAM = 0x20000000, RAM_BYTES = 264 << 10;
const RETURN = RAM; // where calls return to: a breakpoint, below `base`
const BKPT = 0xbe00;

const CPUID = 0xe000ed00, CORTEX_M0PLUS = 0x410cc601;

// A stand-in for the chip: the core asks it for its RAM and its name only.
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
  readUint32: (address) => (address === CPUID ? CORTEX_M0PLUS : nothing(address)), readUint16: nothing, readUint8: nothing,
  writeUint32: nothing, writeUint16: nothing, writeUint8: nothing,
};
const Core = makeCore(Bare);

// A core that uses no memory beyond the fences, and knows how deep its stack was.
const READ = 1, WRITE = 2, EXECUTE = 4;
class FencedCore extends Core {
  constructor(chip) {
    super(chip);
    this.rights = new Uint8Array(RAM_BYTES);
    this.lowest = 0; // stack pointer
  }

  fence(ranges) {
    this.rights.fill(0);
    this.rights.fill(READ | EXECUTE, 0, 2); // the breakpoint
    for (const [address, bytes, rights] of ranges) {
      for (let at = address - RAM; at < address - RAM + bytes; at++) this.rights[at] |= rights;
    }
    this.lowest = RAM + RAM_BYTES;
  }

  need(address, bytes, right) {
    const at = (address - RAM) >>> 0;
    if (!(this.rights[at] & this.rights[at + bytes - 1] & right)) {
      const what = right === READ ? 'read of' : right === WRITE ? 'write to' : 'execution of';
      throw this.fault(`${what} ${bytes} bytes beyond the fences at`, address);
    }
  }

  step() {
    this.need(this.r[15], 2, EXECUTE);
    super.step();
    if (this.r[13] < this.lowest) this.lowest = this.r[13];
  }

  load32(address) {
    if (address >>> 0 !== CPUID) this.need(address, 4, READ);
    return super.load32(address);
  }

  load16(address) {
    this.need(address, 2, READ);
    return super.load16(address);
  }

  load8(address) {
    this.need(address, 1, READ);
    return super.load8(address);
  }

  store32(address, value) {
    this.need(address, 4, WRITE);
    super.store32(address, value);
  }

  store16(address, value) {
    this.need(address, 2, WRITE);
    super.store16(address, value);
  }

  store8(address, value) {
    this.need(address, 1, WRITE);
    super.store8(address, value);
  }
}

const openCore = new Core(chip), fencedCore = new FencedCore(chip);
let core = openCore;
let returned = false;
chip.onBreak = () => {
  returned = core.pause = true;
};

function start(job, call) {
  core = call.fences ? fencedCore : openCore;
  if (call.fences) core.fence(call.fences);
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
  const stack = call.fences && RAM + RAM_BYTES - core.lowest;
  return { result: core.registers[0], cycles: core.spent - 1, output, executed, stack }; // without the breakpoint
}

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
job.image = Buffer.from(job.image, 'base64');
fs.writeSync(1, JSON.stringify(job.calls.map((call) => run(job, call))));
