import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BSON } from 'mongodb';

import { PACKAGE, PYTHON } from '../support/lab.ts';

/** The installed reference, asked by lines: one answer each, in order. */
export class Reference {
  readonly #child: ChildProcess;
  readonly #waiting: { give: (answer: unknown) => void; fail: (error: Error) => void }[] = [];
  #words = '';

  constructor(args: readonly string[]) {
    this.#child = spawn(PYTHON, [join(PACKAGE, 'tests/equality/reference.py'), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // utilix looks there for the site's configuration, which must have no part in this.
      env: { PATH: process.env['PATH'] ?? '', HOME: '/dev/null', TZ: 'UTC' },
    });
    this.#child.stderr?.on('data', (piece: Buffer) => (this.#words += piece.toString()));
    if (this.#child.stdout === null) throw new Error('the reference has no standard output');
    createInterface({ input: this.#child.stdout }).on('line', (line) =>
      this.#waiting.shift()?.give(JSON.parse(line)),
    );
    this.#child.stdin?.on('error', () => undefined);
    this.#child.once('close', (code) => {
      const error = new Error(`the reference ended (${code}): ${this.#words.slice(-2000)}`);
      for (const { fail } of this.#waiting) fail(error);
    });
  }

  ask<T>(question: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ give: resolve as (answer: unknown) => void, fail: reject });
      this.#child.stdin?.write(`${BSON.EJSON.stringify(question)}\n`);
    });
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}
