import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A memory control group below our own, with a limit in bytes, or why there can be none here: it
 * takes rights that a test seldom has.
 */
export class MemoryGroup {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static make(limitBytes: number): MemoryGroup | string {
    for (const line of readFileSync('/proc/self/cgroup', 'utf8').split('\n')) {
      const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (path === undefined || controllers === undefined) continue;
      const second = controllers === '';
      if (!second && controllers !== 'memory') continue;
      const above = join('/sys/fs/cgroup', second ? '' : 'memory', path);
      const folder = join(above, `bootstrax-test-${process.pid}`);
      const limit = join(folder, second ? 'memory.max' : 'memory.limit_in_bytes');
      try {
        mkdirSync(folder);
      } catch {
        continue;
      }
      if (existsSync(limit)) {
        writeFileSync(limit, String(limitBytes));
        return new MemoryGroup(folder);
      }
      rmdirSync(folder);
    }
    return 'no memory control group can be made here';
  }

  /** From now on what this process starts counts, and what it takes itself. */
  add(pid: number): void {
    writeFileSync(join(this.#folder, 'cgroup.procs'), String(pid));
  }

  members(): number[] {
    return readFileSync(join(this.#folder, 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  }

  /** Kills all its members at once. */
  kill(): void {
    const all = join(this.#folder, 'cgroup.kill');
    if (existsSync(all)) {
      writeFileSync(all, '1');
      return;
    }
    // Version 1 cannot: stopped first, none of them sees another one die.
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
      for (const pid of this.members()) {
        try {
          process.kill(pid, signal);
        } catch {
          // Gone meanwhile.
        }
      }
    }
  }

  remove(): void {
    rmdirSync(this.#folder);
  }
}
