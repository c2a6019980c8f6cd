// A Cortex-M0+ core for rp2040js (npm, 1.4.1) that counts cycles as the RP2040 takes them.
//
// rp2040js brings the chip: memories, peripherals, interrupts, exceptions. Its own interpreter is replaced, because
// its counts are off and some flags are wrong:
//
// - PUSH with LR and POP with PC take a cycle more than it says, and entering an exception takes 15, not none.
// - ADCS and SBCS set V wrongly when the carry overflows the second operand, which breaks 64-bit comparisons.
// - Register shifts by 0 must leave C alone, LSLS by more than 32 must clear it.
// - STMIA must write its base back when it stores the base, BLX LR must jump to the old LR.
// - SEV does nothing there; it has to wake the next WFE.
// - An unaligned or unmapped access goes through there. Here it ends the run: on the chip it is a HardFault.
//
// Cycles are those of the Cortex-M0+ Technical Reference Manual, table 3-1, with the RP2040's single-cycle multiplier
// and its bus: memory answers in 2 cycles, the SIO block in 1, peripherals on the APB in 4 (read) and 5 (write).
// docs/bench.md says what is not modelled. tests/boards/test_pico_core.py checks this file.

const RAM = 0x20000000, RAM_BYTES = 264 << 10;
const FLASH = 0x10000000, FLASH_VIEWS = 4 << 24; // cached and uncached views of the same 16 MB
const FLASH_MASK = (16 << 20) - 1;
const ROM_BYTES = 16 << 10;
const PERIPHERALS = [1, 4, 5, 13, 14]; // top four address bits: flash controller, APB, AHB, SIO, the core's own

const EXCEPTION_ENTRY = 15;

// First halfwords by their top ten bits, in the order of the cases in step().
const ENCODINGS = [
  '00000.....', '00001.....', '00010.....', '0001100...', '0001101...', '0001110...', '0001111...', // 0
  '00100.....', '00101.....', '00110.....', '00111.....', // 7
  '0100000000', '0100000001', '0100000010', '0100000011', '0100000100', '0100000101', '0100000110', '0100000111', // 11
  '0100001000', '0100001001', '0100001010', '0100001011', '0100001100', '0100001101', '0100001110', '0100001111', // 19
  '01000100..', '01000101..', '01000110..', '010001110.', '010001111.', '01001.....', // 27
  '0101000...', '0101001...', '0101010...', '0101011...', '0101100...', '0101101...', '0101110...', '0101111...', // 33
  '01100.....', '01101.....', '01110.....', '01111.....', '10000.....', '10001.....', '10010.....', '10011.....', // 41
  '10100.....', '10101.....', '101100000.', '101100001.', // 49
  '1011001000', '1011001001', '1011001010', '1011001011', '1011010...', '1011011001', // 53
  '1011101000', '1011101001', '1011101011', '1011110...', '10111110..', '10111111..', // 59
  '11000.....', '11001.....', '1101......', '11100.....', '11110.....', // 65
];

const KIND = new Uint8Array(1024).fill(255);
ENCODINGS.forEach((pattern, kind) => {
  const bits = new RegExp(`^${pattern}$`);
  for (let i = 0; i < 1024; i++) if (bits.test(i.toString(2).padStart(10, '0'))) KIND[i] = kind;
});

// Thrown where the program does something that is a HardFault on the chip.
export class Fault extends Error {}

export function makeCore(CortexM0Core) {
  return class CortexM0Plus extends CortexM0Core {
    constructor(rp2040) {
      super(rp2040);
      this.r = new Int32Array(this.registers.buffer); // the same registers with a sign
      this.ram8 = rp2040.sram;
      this.ram16 = new Uint16Array(rp2040.sram.buffer);
      this.ram32 = new Int32Array(rp2040.sram.buffer);
      this.flash8 = rp2040.flash;
      this.flash16 = new Uint16Array(rp2040.flash.buffer);
      this.flash32 = new Int32Array(rp2040.flash.buffer);
      this.rom16 = new Uint16Array(rp2040.bootrom.buffer);
      // Flags: N is n < 0, Z is z === 0, C is c (0 or 1), V is v < 0.
      this.n = 0;
      this.z = 1;
      this.c = 0;
      this.v = 0;
      this.spent = 0; // cycles since the caller last set it to 0
      this.inRam = 0; // cycles of instructions that lie in RAM, since the start
      this.inInterrupts = 0; // the same of exception handlers, entering them included
      this.pause = false; // set to make run() return
    }

    get APSR() {
      return (this.n & 0x80000000) | (this.z === 0 ? 0x40000000 : 0) | (this.c << 29) | (this.v < 0 ? 0x10000000 : 0);
    }

    set APSR(value) {
      this.n = value | 0;
      this.z = value & 0x40000000 ? 0 : 1;
      this.c = (value >>> 29) & 1;
      this.v = value << 3;
    }

    // Executes until `budget` cycles are spent, the core sleeps, or somebody sets `pause`.
    run(budget) {
      this.pause = false;
      while (this.spent < budget && !this.waiting && !this.pause) {
        const before = this.spent, inRam = this.r[15] >>> 28 === RAM >>> 28;
        this.step();
        if (inRam) this.inRam += this.spent - before;
        if (this.IPSR) this.inInterrupts += this.spent - before;
      }
    }

    // ---- memory: the fast paths here, peripherals by rp2040js

    fault(what, address) {
      const hex = (n) => '0x' + (n >>> 0).toString(16);
      return new Fault(`${what} ${hex(address)}, instruction at ${hex(this.r[15] - 2)}`);
    }

    slow(address, size) {
      if (address & (size - 1)) throw this.fault('unaligned access to', address);
      if (address >>> 28 === 0 ? address >= ROM_BYTES : !PERIPHERALS.includes(address >>> 28)) {
        throw this.fault('access to unmapped address', address);
      }
      return address >>> 0;
    }

    load32(address) {
      if ((address & 3) === 0) {
        const ram = (address - RAM) >>> 0;
        if (ram < RAM_BYTES) return this.ram32[ram >>> 2];
        const flash = (address - FLASH) >>> 0;
        if (flash < FLASH_VIEWS) return this.flash32[(flash & FLASH_MASK) >>> 2];
      }
      return this.rp2040.readUint32(this.slow(address, 4)) | 0;
    }

    load16(address) {
      if ((address & 1) === 0) {
        const ram = (address - RAM) >>> 0;
        if (ram < RAM_BYTES) return this.ram16[ram >>> 1];
        const flash = (address - FLASH) >>> 0;
        if (flash < FLASH_VIEWS) return this.flash16[(flash & FLASH_MASK) >>> 1];
      }
      return this.rp2040.readUint16(this.slow(address, 2));
    }

    load8(address) {
      const ram = (address - RAM) >>> 0;
      if (ram < RAM_BYTES) return this.ram8[ram];
      const flash = (address - FLASH) >>> 0;
      if (flash < FLASH_VIEWS) return this.flash8[flash & FLASH_MASK];
      return this.rp2040.readUint8(this.slow(address, 1));
    }

    store32(address, value) {
      const ram = (address - RAM) >>> 0;
      if (ram < RAM_BYTES && (address & 3) === 0) this.ram32[ram >>> 2] = value;
      else this.rp2040.writeUint32(this.slow(address, 4), value >>> 0);
    }

    store16(address, value) {
      const ram = (address - RAM) >>> 0;
      if (ram < RAM_BYTES && (address & 1) === 0) this.ram16[ram >>> 1] = value;
      else this.rp2040.writeUint16(this.slow(address, 2), value & 0xffff);
    }

    store8(address, value) {
      const ram = (address - RAM) >>> 0;
      if (ram < RAM_BYTES) this.ram8[ram] = value;
      else this.rp2040.writeUint8(this.slow(address, 1), value & 0xff);
    }

    // Cycles of a single load or store beyond the first.
    bus(address, write) {
      const region = address >>> 28;
      return region === 13 ? 0 : region === 4 ? (write ? 4 : 3) : 1;
    }

    // ---- arithmetic

    addFlags(a, b, carry) {
      const sum = (a + b + carry) | 0;
      this.n = this.z = sum;
      this.c = ((a & b) | ((a | b) & ~sum)) >>> 31;
      this.v = (a ^ sum) & (b ^ sum);
      return sum;
    }

    // Register shifts: `by` is 0 to 255. Only a shift by something sets C.
    shiftLeft(value, by) {
      if (by) this.c = by > 32 ? 0 : (value >>> (32 - by)) & 1;
      return by < 32 ? value << by : 0;
    }

    shiftRight(value, by) {
      if (by) this.c = by > 32 ? 0 : (value >>> (by - 1)) & 1;
      return by < 32 ? value >>> by : 0;
    }

    shiftRightSigned(value, by) {
      if (by) this.c = (value >> Math.min(by - 1, 31)) & 1;
      return value >> Math.min(by, 31);
    }

    rotate(value, by) {
      const result = (value >>> (by & 31)) | (value << (-by & 31));
      if (by) this.c = result >>> 31;
      return result;
    }

    holds(condition) {
      switch (condition) {
        case 0: return this.z === 0;
        case 1: return this.z !== 0;
        case 2: return this.c !== 0;
        case 3: return this.c === 0;
        case 4: return this.n < 0;
        case 5: return this.n >= 0;
        case 6: return this.v < 0;
        case 7: return this.v >= 0;
        case 8: return this.c !== 0 && this.z !== 0;
        case 9: return this.c === 0 || this.z === 0;
        case 10: return (this.n ^ this.v) >= 0;
        case 11: return (this.n ^ this.v) < 0;
        case 12: return (this.n ^ this.v) >= 0 && this.z !== 0;
        default: return (this.n ^ this.v) < 0 || this.z === 0;
      }
    }

    // ---- execution

    sendEvent() {
      this.eventRegistered = true;
    }

    exceptionEntry(number) {
      super.exceptionEntry(number);
      this.spent += EXCEPTION_ENTRY;
    }

    // Executes one instruction and adds its cycles to `spent`. While it runs the PC is two beyond it.
    step() {
      if (this.interruptsUpdated) this.checkForInterrupts();
      const r = this.r;
      const pc = r[15] & ~1;
      const op = this.load16(pc);
      r[15] = pc + 2;
      // Fields that many encodings share.
      const d = op & 7, m = (op >> 3) & 7, k = (op >> 6) & 7, t = (op >> 8) & 7, imm5 = (op >> 6) & 31, imm8 = op & 255;
      let cycles = 1, address;
      switch (KIND[op >> 6]) {
        case 0: // LSLS Rd, Rm, #imm5; MOVS Rd, Rm
          this.n = this.z = r[d] = this.shiftLeft(r[m], imm5);
          break;
        case 1: // LSRS Rd, Rm, #imm5
          this.n = this.z = r[d] = this.shiftRight(r[m], imm5 || 32);
          break;
        case 2: // ASRS Rd, Rm, #imm5
          this.n = this.z = r[d] = this.shiftRightSigned(r[m], imm5 || 32);
          break;
        case 3: // ADDS Rd, Rn, Rm
          r[d] = this.addFlags(r[m], r[k], 0);
          break;
        case 4: // SUBS Rd, Rn, Rm
          r[d] = this.addFlags(r[m], ~r[k], 1);
          break;
        case 5: // ADDS Rd, Rn, #imm3
          r[d] = this.addFlags(r[m], k, 0);
          break;
        case 6: // SUBS Rd, Rn, #imm3
          r[d] = this.addFlags(r[m], ~k, 1);
          break;
        case 7: // MOVS Rd, #imm8
          this.n = this.z = r[t] = imm8;
          break;
        case 8: // CMP Rn, #imm8
          this.addFlags(r[t], ~imm8, 1);
          break;
        case 9: // ADDS Rd, #imm8
          r[t] = this.addFlags(r[t], imm8, 0);
          break;
        case 10: // SUBS Rd, #imm8
          r[t] = this.addFlags(r[t], ~imm8, 1);
          break;
        case 11: // ANDS
          this.n = this.z = r[d] &= r[m];
          break;
        case 12: // EORS
          this.n = this.z = r[d] ^= r[m];
          break;
        case 13: // LSLS Rd, Rm
          this.n = this.z = r[d] = this.shiftLeft(r[d], r[m] & 255);
          break;
        case 14: // LSRS Rd, Rm
          this.n = this.z = r[d] = this.shiftRight(r[d], r[m] & 255);
          break;
        case 15: // ASRS Rd, Rm
          this.n = this.z = r[d] = this.shiftRightSigned(r[d], r[m] & 255);
          break;
        case 16: // ADCS
          r[d] = this.addFlags(r[d], r[m], this.c);
          break;
        case 17: // SBCS
          r[d] = this.addFlags(r[d], ~r[m], this.c);
          break;
        case 18: // RORS
          this.n = this.z = r[d] = this.rotate(r[d], r[m] & 255);
          break;
        case 19: // TST
          this.n = this.z = r[d] & r[m];
          break;
        case 20: // RSBS Rd, Rn, #0
          r[d] = this.addFlags(0, ~r[m], 1);
          break;
        case 21: // CMP
          this.addFlags(r[d], ~r[m], 1);
          break;
        case 22: // CMN
          this.addFlags(r[d], r[m], 0);
          break;
        case 23: // ORRS
          this.n = this.z = r[d] |= r[m];
          break;
        case 24: // MULS
          this.n = this.z = r[d] = Math.imul(r[d], r[m]);
          break;
        case 25: // BICS
          this.n = this.z = r[d] &= ~r[m];
          break;
        case 26: // MVNS
          this.n = this.z = r[d] = ~r[m];
          break;
        case 27: // ADD Rdn, Rm, any registers
          cycles = this.setHigh(op, this.high(d | ((op >> 4) & 8)) + this.high((op >> 3) & 15));
          break;
        case 28: // CMP Rn, Rm, any registers
          this.addFlags(this.high(d | ((op >> 4) & 8)), ~this.high((op >> 3) & 15), 1);
          break;
        case 29: // MOV Rd, Rm, any registers
          cycles = this.setHigh(op, this.high((op >> 3) & 15));
          break;
        case 30: // BX
          this.BXWritePC(this.high((op >> 3) & 15));
          cycles = 2;
          break;
        case 31: { // BLX
          const target = this.high((op >> 3) & 15);
          r[14] = (pc + 2) | 1;
          r[15] = target & ~1;
          cycles = 2;
          break;
        }
        case 32: // LDR Rt, [PC, #imm8]
          r[t] = this.load32(((pc + 4) & ~3) + (imm8 << 2));
          cycles = 2;
          break;
        case 33: // STR Rt, [Rn, Rm]
          address = (r[m] + r[k]) | 0;
          cycles += this.bus(address, true);
          this.store32(address, r[d]);
          break;
        case 34: // STRH
          address = (r[m] + r[k]) | 0;
          cycles += this.bus(address, true);
          this.store16(address, r[d]);
          break;
        case 35: // STRB
          address = (r[m] + r[k]) | 0;
          cycles += this.bus(address, true);
          this.store8(address, r[d]);
          break;
        case 36: // LDRSB
          address = (r[m] + r[k]) | 0;
          cycles += this.bus(address, false);
          r[d] = (this.load8(address) << 24) >> 24;
          break;
        case 37: // LDR Rt, [Rn, Rm]
          address = (r[m] + r[k]) | 0;
          cycles += this.bus(address, false);
          r[d] = this.load32(address);
          break;
        case 38: // LDRH
          address = (r[m] + r[k]) | 0;
          cycles += this.bus(address, false);
          r[d] = this.load16(address);
          break;
        case 39: // LDRB
          address = (r[m] + r[k]) | 0;
          cycles += this.bus(address, false);
          r[d] = this.load8(address);
          break;
        case 40: // LDRSH
          address = (r[m] + r[k]) | 0;
          cycles += this.bus(address, false);
          r[d] = (this.load16(address) << 16) >> 16;
          break;
        case 41: // STR Rt, [Rn, #imm5]
          address = (r[m] + (imm5 << 2)) | 0;
          cycles += this.bus(address, true);
          this.store32(address, r[d]);
          break;
        case 42: // LDR Rt, [Rn, #imm5]
          address = (r[m] + (imm5 << 2)) | 0;
          cycles += this.bus(address, false);
          r[d] = this.load32(address);
          break;
        case 43: // STRB Rt, [Rn, #imm5]
          address = (r[m] + imm5) | 0;
          cycles += this.bus(address, true);
          this.store8(address, r[d]);
          break;
        case 44: // LDRB Rt, [Rn, #imm5]
          address = (r[m] + imm5) | 0;
          cycles += this.bus(address, false);
          r[d] = this.load8(address);
          break;
        case 45: // STRH Rt, [Rn, #imm5]
          address = (r[m] + (imm5 << 1)) | 0;
          cycles += this.bus(address, true);
          this.store16(address, r[d]);
          break;
        case 46: // LDRH Rt, [Rn, #imm5]
          address = (r[m] + (imm5 << 1)) | 0;
          cycles += this.bus(address, false);
          r[d] = this.load16(address);
          break;
        case 47: // STR Rt, [SP, #imm8]
          address = (r[13] + (imm8 << 2)) | 0;
          cycles += this.bus(address, true);
          this.store32(address, r[t]);
          break;
        case 48: // LDR Rt, [SP, #imm8]
          address = (r[13] + (imm8 << 2)) | 0;
          cycles += this.bus(address, false);
          r[t] = this.load32(address);
          break;
        case 49: // ADR
          r[t] = ((pc + 4) & ~3) + (imm8 << 2);
          break;
        case 50: // ADD Rd, SP, #imm8
          r[t] = r[13] + (imm8 << 2);
          break;
        case 51: // ADD SP, #imm7
          r[13] += (op & 127) << 2;
          break;
        case 52: // SUB SP, #imm7
          r[13] -= (op & 127) << 2;
          break;
        case 53: // SXTH
          r[d] = (r[m] << 16) >> 16;
          break;
        case 54: // SXTB
          r[d] = (r[m] << 24) >> 24;
          break;
        case 55: // UXTH
          r[d] = r[m] & 0xffff;
          break;
        case 56: // UXTB
          r[d] = r[m] & 0xff;
          break;
        case 57: // PUSH: 1 + N cycles, LR counted
          address = r[13];
          if (op & 256) this.store32((address -= 4), r[14]), cycles++;
          for (let i = 7; i >= 0; i--) if (op & (1 << i)) this.store32((address -= 4), r[i]), cycles++;
          r[13] = address;
          break;
        case 58: // CPSIE i, CPSID i
          this.PM = !!(op & 16);
          this.interruptsUpdated = true;
          break;
        case 59: { // REV
          const x = r[m];
          r[d] = (x >>> 24) | ((x >>> 8) & 0xff00) | ((x << 8) & 0xff0000) | (x << 24);
          break;
        }
        case 60: { // REV16
          const x = r[m];
          r[d] = ((x >>> 8) & 0xff00ff) | ((x & 0xff00ff) << 8);
          break;
        }
        case 61: { // REVSH
          const x = r[m];
          r[d] = ((x << 24) >> 16) | ((x >>> 8) & 255);
          break;
        }
        case 62: // POP: 1 + N cycles, with PC 3 + N
          address = r[13];
          for (let i = 0; i < 8; i++) if (op & (1 << i)) (r[i] = this.load32(address)), (address += 4), cycles++;
          r[13] = address;
          if (op & 256) {
            r[13] = address + 4;
            this.BXWritePC(this.load32(address));
            cycles += 3;
          }
          break;
        case 63: // BKPT
          this.rp2040.onBreak(imm8);
          break;
        case 64: // NOP, YIELD, WFE, WFI, SEV
          cycles = this.hint(op);
          break;
        case 65: // STMIA Rn!, {...}: 1 + N cycles
          address = r[t];
          for (let i = 0; i < 8; i++) if (op & (1 << i)) this.store32(address, r[i]), (address += 4), cycles++;
          r[t] = address;
          break;
        case 66: // LDMIA Rn!, {...}: 1 + N cycles; a base that is loaded is not written back
          address = r[t];
          for (let i = 0; i < 8; i++) if (op & (1 << i)) (r[i] = this.load32(address)), (address += 4), cycles++;
          if (!(op & (1 << t))) r[t] = address;
          break;
        case 67: { // B<condition>; SVC
          const condition = (op >> 8) & 15;
          if (condition < 14) {
            if (this.holds(condition)) {
              r[15] = pc + 4 + ((op << 24) >> 23);
              cycles = 2;
            }
          } else if (condition === 15) {
            this.pendingSVCall = true;
            this.interruptsUpdated = true;
          } else throw this.fault('undefined instruction', op);
          break;
        }
        case 68: // B
          r[15] = pc + 4 + ((op << 21) >> 20);
          cycles = 2;
          break;
        case 69:
          this.wide(pc, op);
          cycles = 3;
          break;
        default:
          throw this.fault('undefined instruction', op);
      }
      this.spent += cycles;
    }

    // Any register as an operand; the PC reads as the instruction's address plus 4.
    high(index) {
      return index === 15 ? this.r[15] + 2 : this.r[index];
    }

    // Writes the destination of ADD and MOV between any registers. Returns the cycles.
    setHigh(op, value) {
      const index = (op & 7) | ((op >> 4) & 8);
      this.r[index] = index === 15 ? value & ~1 : index === 13 ? value & ~3 : value;
      return index === 15 ? 2 : 1;
    }

    hint(op) {
      switch (op) {
        case 0xbf20: // WFE
          this.waiting = !this.eventRegistered;
          this.eventRegistered = false;
          return 2;
        case 0xbf30: // WFI
          this.waiting = true;
          return 2;
        case 0xbf40: // SEV
          this.sendEvent();
          return 1;
        case 0xbf00: // NOP
        case 0xbf10: // YIELD
          return 1;
        default:
          throw this.fault('undefined instruction', op);
      }
    }

    // Instructions of 32 bits: 3 cycles each.
    wide(pc, op) {
      const op2 = this.load16(pc + 2);
      this.r[15] = pc + 4;
      if ((op2 & 0xd000) === 0xd000) {
        // BL
        const s = (op >> 10) & 1;
        const i1 = ~((op2 >> 13) ^ s) & 1, i2 = ~((op2 >> 11) ^ s) & 1;
        this.r[14] = (pc + 4) | 1;
        this.r[15] = pc + 4 + ((-s << 24) | (i1 << 23) | (i2 << 22) | ((op & 1023) << 12) | ((op2 & 2047) << 1));
      } else if (op === 0xf3ef && op2 >> 12 === 8) {
        this.registers[(op2 >> 8) & 15] = this.readSpecialRegister(op2 & 255);
      } else if (op >> 4 === 0xf38 && op2 >> 8 === 0x88) {
        this.writeSpecialRegister(op2 & 255, this.registers[op & 15]);
      } else if (op !== 0xf3bf || (op2 & 0xffc0) !== 0x8f40) {
        // Barriers (DMB, DSB, ISB) have nothing to do.
        throw this.fault('undefined instruction', op);
      }
    }
  };
}
