import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { PACKAGE, PYTHON, SMALL_CONTEXT } from '../../support/lab.ts';

/** A run as it was processed: the plan of its last attempt, and the folder with its data. */
export interface Processed {
  run: number;
  planFile: string;
  output: string;
}

/**
 * Processes each plan once more, undisturbed and without bootstrax, into `folder`, and compares the
 * data array by array; answers what differs.
 */
export async function compareWithUndisturbed(
  runs: readonly Processed[],
  folder: string,
): Promise<string[]> {
  if (runs.length === 0) return [];
  await mkdir(folder, { recursive: true });
  const problems: string[] = [];
  const plain = new LineServer('plain_make.py', ['warm', SMALL_CONTEXT]);
  const compare = new LineServer('compare_data.py', []);
  try {
    for (const { run, planFile, output } of runs) {
      const made = JSON.parse(await plain.ask(`${planFile} ${folder}`)) as { code: number };
      if (made.code !== 0) {
        problems.push(`run ${run}: plain strax fails (${made.code})`);
        continue;
      }
      const answer = await compare.ask(`${planFile} ${output} ${folder}`);
      const { differences } = JSON.parse(answer) as { differences: string[] };
      problems.push(...differences.map((difference) => `run ${run}: ${difference}`));
    }
  } finally {
    await Promise.all([plain.end(), compare.end()]);
  }
  return problems;
}

/** A Python program of the tests that answers each line with a line. */
class LineServer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(program: string, args: string[]) {
    this.#child = spawn(PYTHON, [join(PACKAGE, 'tests/support', program), ...args], {
      env: {
        ...process.env,
        PYTHONPATH: join(PACKAGE, 'worker'),
        OPENBLAS_NUM_THREADS: '1',
        OMP_NUM_THREADS: '1',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stderr?.on('data', (piece: Buffer) => {
      this.#errors = (this.#errors + piece.toString()).slice(-4000);
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** The next JSON object; what else is printed is passed over. */
  async ask(question: string): Promise<string> {
    this.#child.stdin?.write(`${question}\n`);
    for (;;) {
      const line = await this.#lines.next();
      if (line.done === true) throw new Error(`it ended without an answer: ${this.#errors}`);
      if (line.value.startsWith('{')) return line.value;
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }
}
