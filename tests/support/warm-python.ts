import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { PACKAGE, PYTHON, until } from './lab.ts';

const SUPPORT = join(PACKAGE, 'tests/support');

/** A process that has imported strax, of which the fork servers of managers are forks. */
export class WarmPython {
  readonly #nursery: ChildProcess;

  private constructor(
    /** To be given to a manager as its Python. */
    readonly path: string,
    nursery: ChildProcess,
  ) {
    this.#nursery = nursery;
  }

  /** Its socket and the command are made in `folder`. It ends with the process `owner`. */
  static async start(folder: string, { owner = process.pid } = {}): Promise<WarmPython> {
    const socket = join(folder, 'warm-python.socket');
    // No pipes: it may outlive the test file that has started it.
    const log = await open(join(folder, 'warm-python.log'), 'w');
    const nursery = spawn(PYTHON, [join(SUPPORT, 'warm_python.py'), socket, String(owner)], {
      env: { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    await writeFile(pidFileIn(folder), String(nursery.pid));
    await log.close();
    await until('Python to be warm', async () => {
      const text = await readFile(join(folder, 'warm-python.log'), 'utf8');
      if (nursery.exitCode !== null) throw new Error(`it ended (${nursery.exitCode}): ${text}`);
      return text.includes('ready\n');
    });
    nursery.unref();
    const path = WarmPython.pathIn(folder);
    const client = join(SUPPORT, 'warm_python_client.py');
    await writeFile(
      `${path}.new`,
      `#!/bin/sh\nexec '${PYTHON}' -I -S '${client}' '${socket}' '${PYTHON}' "$@"\n`,
      { mode: 0o755 },
    );
    await rename(`${path}.new`, path);
    return new WarmPython(path, nursery);
  }

  static pathIn(folder: string): string {
    return join(folder, 'warm-python');
  }

  /** Ends the one that was started in this folder, if there is one. */
  static async endIn(folder: string): Promise<void> {
    const pid = await readFile(pidFileIn(folder), 'utf8').catch(() => null);
    if (pid !== null) process.kill(Number(pid), 'SIGTERM');
  }

  get pid(): number | undefined {
    return this.#nursery.pid;
  }

  async end(): Promise<void> {
    if (this.#nursery.exitCode !== null) return;
    this.#nursery.kill('SIGTERM');
    await once(this.#nursery, 'exit');
  }
}

function pidFileIn(folder: string): string {
  return join(folder, 'warm-python.pid');
}
