import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

/** Percentages, 0 to 100. */
export interface MachineLoad {
  /** Of all cores, since the reading before. */
  cpuPercent: number;
  /** Memory that cannot be had without swapping, of all. */
  memoryPercent: number;
  /** Of the swap space; 0 where there is none. */
  swapPercent: number;
  /** Processes that run or want to, on average over a minute. */
  loadAverage: number;
}

interface CpuTicks {
  busy: number;
  total: number;
}

/** Reads the load of the machine; CPU use is measured from one reading to the next. */
export class LoadMeter {
  #last: CpuTicks = cpuTicks(readFileSync('/proc/stat', 'utf8'));

  /** The load now. Two readings within one clock tick repeat no measurement: CPU is 0 then. */
  read(): MachineLoad {
    const now = cpuTicks(readFileSync('/proc/stat', 'utf8'));
    const elapsed = now.total - this.#last.total;
    const busy = now.busy - this.#last.busy;
    this.#last = now;
    return {
      cpuPercent: elapsed > 0 ? clampPercent((100 * busy) / elapsed) : 0,
      loadAverage: loadavg()[0] ?? 0,
      ...memoryPercents(readFileSync('/proc/meminfo', 'utf8')),
    };
  }
}

/** Busy and all ticks of all cores from the text of /proc/stat. */
export function cpuTicks(text: string): CpuTicks {
  const line = /^cpu +(.+)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error('/proc/stat has no line "cpu"');
  // Fields 9 and 10 (guests) are already part of the first two.
  const ticks = line.split(/\s+/).slice(0, 8).map(Number);
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busy: total - idle, total };
}

/** Memory and swap in use from the text of /proc/meminfo. */
export function memoryPercents(text: string): Pick<MachineLoad, 'memoryPercent' | 'swapPercent'> {
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN);
  const total = kilobytes('MemTotal');
  const available = kilobytes('MemAvailable');
  if (!(total > 0) || Number.isNaN(available)) {
    throw new Error('/proc/meminfo lacks MemTotal or MemAvailable');
  }
  const swap = kilobytes('SwapTotal');
  const swapFree = kilobytes('SwapFree');
  return {
    memoryPercent: clampPercent((100 * (total - available)) / total),
    swapPercent: swap > 0 ? clampPercent((100 * (swap - swapFree)) / swap) : 0,
  };
}

function clampPercent(value: number): number {
  return Math.min(100, Math.max(0, value));
}
