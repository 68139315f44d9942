import { readFileSync } from 'node:fs';

/** USER_HZ, the same on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** Processor time of a process so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The same with that of its children that have ended, seconds; 0 if it is gone. */
export function cpuSecondsWithEnded(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return 0;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** The present resident size of a process, MB. */
export function memoryMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1000;
}

/** The largest resident size of a process so far, MB. */
export function peakMemoryMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1000;
}

const LOOK_MS = 200;

/** Ends the benchmark, and the processes it follows, before they fill the machine's memory. */
export class MemoryGuard {
  readonly #most: number;
  readonly #followed = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  /** `cleanUp` is carried out before the end. */
  constructor(mostMb: number, cleanUp: () => Promise<void>) {
    this.#most = mostMb;
    this.#timer = setInterval(() => {
      const total = this.#look();
      if (total <= this.#most) return;
      this.end();
      for (const pid of this.#followed.keys()) end(pid);
      console.error(`ended: ${Math.round(total)} MB in use, more than ${this.#most} MB`);
      void cleanUp().finally(() => process.exit(3));
    }, LOOK_MS);
  }

  follow(pid: number): void {
    this.#followed.set(pid, 0);
  }

  /** The largest resident size of a followed process, as far as it was seen, MB. */
  peakMb(pid: number): number {
    return this.#followed.get(pid) ?? Number.NaN;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** Of all together, MB. */
  #look(): number {
    let total = memoryMb(process.pid);
    for (const [pid, peak] of this.#followed) {
      const now = memoryOf(pid);
      if (now === null) {
        this.#followed.delete(pid);
        continue;
      }
      total += now;
      this.#followed.set(pid, Math.max(peak, now));
    }
    return total;
  }
}

/** Null if the process is gone. */
function memoryOf(pid: number): number | null {
  try {
    const mb = memoryMb(pid);
    return Number.isNaN(mb) ? null : mb;
  } catch {
    return null;
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
