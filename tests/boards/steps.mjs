// Executes single instructions on host/midge_host/boards/cortex_m0plus.mjs: node steps.mjs CORE.mjs RP2040JS_FOLDER
//
// Standard input: uint32 code address, uint32 bytes of code, the code; then for each case uint32 PC, 15 registers,
// flags (bits 31-28), 1024 bytes for the memory at 0x20001000. Standard output: for each case uint32 PC, 15
// registers, flags, cycles, the memory.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [coreFile, folder] = process.argv.slice(2);
const load = (...parts) => import(pathToFileURL(path.resolve(...parts)));
const { makeCore } = await load(coreFile);
const { RP2040 } = await load(folder, 'rp2040.js');
const { CortexM0Core } = await load(folder, 'cortex-m0-core.js');

const DATA = 0x1000, DATA_BYTES = 1024;
const chip = new RP2040();
const core = (chip.core = new (makeCore(CortexM0Core))(chip));
const input = fs.readFileSync(0);
let at = 0;
const word = () => input.readUInt32LE((at += 4) - 4);
const bytes = (n) => input.subarray(at, (at += n));

const codeAt = word() - 0x20000000;
chip.sram.set(bytes(word()), codeAt);
const output = [];
while (at < input.length) {
  core.PC = word();
  for (let i = 0; i < 15; i++) core.registers[i] = word();
  core.APSR = word();
  core.spent = 0;
  chip.sram.set(bytes(DATA_BYTES), DATA);
  core.step();
  const state = [core.PC & ~1, ...core.registers.subarray(0, 15), core.APSR, core.spent];
  output.push(Buffer.from(Uint32Array.from(state).buffer), Buffer.from(chip.sram.subarray(DATA, DATA + DATA_BYTES)));
}
fs.writeSync(1, Buffer.concat(output));
