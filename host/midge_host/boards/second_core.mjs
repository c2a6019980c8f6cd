// The RP2040's second core, which rp2040js lacks, and what lies between the two: the FIFOs of the SIO block with their
// interrupts, CPUID, a divider and interpolators for each core, events, and the reset by the power-on state machine.
//
// The cores take turns, an instruction at a time, so that neither is ahead of the other. Not modelled: what they wait
// for each other on the bus.

const CPUID = 0x00, FIFO_STATUS = 0x50, FIFO_WRITE = 0x54, FIFO_READ = 0x58, OF_EACH = 0x60, SPINLOCKS = 0x100;
const FIFO_WORDS = 8, FIFO_INTERRUPT = 15; // of core 0; core 1's follows
const POWER = 0x40010, FORCE_OFF = 4, CORE_1 = 1 << 16;

export class SecondCore {
  constructor(chip, Core, Sio) {
    this.chip = chip;
    this.make = () => new Core(chip);
    this.cores = [chip.core, this.make()];
    this.on = false;
    this.fifos = [[], []]; // what each core has to read
    this.faults = [0, 0]; // sticky bits of its status: it wrote to a full one, it read from an empty one
    this.#sio(chip.sio, new Sio(chip));
    this.#power(chip.peripherals[POWER]);
    for (const core of this.cores) core.sendEvent = () => this.#event();
    chip.setInterrupt = (number, raised) => {
      for (const core of this.cores) core.setInterrupt(number, raised);
      this.#woken();
    };
  }

  get running() {
    return this.on && !this.cores[1].waiting;
  }

  // Runs whichever cores are awake until `budget` cycles are spent; returns how many were.
  runBoth(budget) {
    const [first, second] = this.cores;
    first.pause = false;
    while (!first.pause && (!first.waiting || this.running)) {
      if (first.waiting) first.spent = Math.max(first.spent, second.spent);
      if (!this.running) second.spent = Math.max(second.spent, first.spent);
      const isFirst = !first.waiting && (!this.running || first.spent <= second.spent);
      const core = isFirst ? first : second;
      if (core.spent >= budget) break;
      this.chip.core = core;
      core.run(core.spent + 1);
    }
    this.chip.core = first;
    return this.book();
  }

  // Cycles that both cores have behind them since this was last called.
  book() {
    const [first, second] = this.cores;
    const spent = this.running ? Math.min(first.spent, second.spent) : first.spent;
    first.spent -= spent;
    second.spent = this.running ? second.spent - spent : 0;
    return spent;
  }

  get #current() {
    return this.chip.core === this.cores[1] ? 1 : 0;
  }

  // Core 1 may have been woken by core 0: its clock is then set, and the run of core 0 alone ends.
  #woken() {
    if (!this.running || this.chip.core !== this.cores[0]) return;
    const [first, second] = this.cores;
    second.spent = Math.max(second.spent, first.spent);
    first.pause = true;
  }

  #event() {
    for (const core of this.cores) {
      core.eventRegistered = !core.waiting;
      core.waiting = false;
    }
    this.#woken();
  }

  #fifoInterrupts() {
    this.cores.forEach((core, i) => {
      core.setInterrupt(FIFO_INTERRUPT + i, this.fifos[i].length > 0 || this.faults[i] !== 0);
    });
    this.#woken();
  }

  #sio(common, second) {
    const read = common.readUint32.bind(common), write = common.writeUint32.bind(common);
    common.readUint32 = (offset) => {
      const i = this.#current, mine = this.fifos[i];
      if (offset === CPUID) return i;
      if (offset === FIFO_STATUS) {
        return (mine.length ? 1 : 0) | (this.fifos[1 - i].length < FIFO_WORDS ? 2 : 0) | this.faults[i];
      }
      if (offset === FIFO_READ) {
        if (mine.length === 0) this.faults[i] |= 8;
        const value = mine.shift() ?? 0;
        this.#fifoInterrupts();
        return value;
      }
      return i && offset >= OF_EACH && offset < SPINLOCKS ? second.readUint32(offset) : read(offset);
    };
    common.writeUint32 = (offset, value) => {
      const i = this.#current, other = this.fifos[1 - i];
      if (offset === FIFO_STATUS) this.faults[i] = 0;
      else if (offset === FIFO_WRITE && other.length < FIFO_WORDS) other.push(value >>> 0);
      else if (offset === FIFO_WRITE) this.faults[i] |= 4;
      else if (i && offset >= OF_EACH && offset < SPINLOCKS) return second.writeUint32(offset, value);
      else return write(offset, value);
      this.#fifoInterrupts();
    };
  }

  #power(machine) {
    const write = machine.writeUint32.bind(machine);
    machine.writeUint32 = (offset, value) => {
      const wasOff = machine.frceOff & CORE_1;
      write(offset, value);
      if (offset !== FORCE_OFF) return;
      const isOff = machine.frceOff & CORE_1;
      if (isOff) this.on = false;
      else if (wasOff) this.#start();
    };
  }

  // Out of reset core 1 waits in the boot ROM for core 0 to say where to go.
  #start() {
    Object.assign(this.cores[1], this.make());
    this.cores[1].reset();
    this.fifos[1].length = 0;
    this.on = true;
    this.#woken();
  }
}
