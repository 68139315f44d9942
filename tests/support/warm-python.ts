import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { PACKAGE, PYTHON, until } from './lab.ts';

const SUPPORT = join(PACKAGE, 'tests/support');

/** A process that has imported strax, of which the fork servers of managers are forks. */
export class WarmPython {
  private constructor(
    /** To be given to a manager as its Python. */
    readonly path: string,
    private readonly nursery: ChildProcess,
  ) {}

  /** Its socket and the command are made in `folder`. */
  static async start(folder: string): Promise<WarmPython> {
    const socket = join(folder, 'warm-python.socket');
    const nursery = spawn(PYTHON, [join(SUPPORT, 'warm_python.py'), socket], {
      env: { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    nursery.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
    await until('Python to be warm', () => {
      if (nursery.exitCode !== null) throw new Error(`it ended (${nursery.exitCode}): ${text}`);
      return text.includes('ready\n');
    });
    const path = join(folder, 'warm-python');
    const client = join(SUPPORT, 'warm_python_client.py');
    await writeFile(
      path,
      `#!/bin/sh\nexec '${PYTHON}' -I -S '${client}' '${socket}' '${PYTHON}' "$@"\n`,
      { mode: 0o755 },
    );
    return new WarmPython(path, nursery);
  }

  get pid(): number | undefined {
    return this.nursery.pid;
  }

  async end(): Promise<void> {
    if (this.nursery.exitCode !== null) return;
    this.nursery.kill('SIGTERM');
    await once(this.nursery, 'exit');
  }
}
