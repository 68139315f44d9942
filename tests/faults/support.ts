import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

import type { Lab } from '../support/lab.ts';
import { type StoredRun, until } from '../support/lab.ts';
import { type Changes, type Configuration, smallMachine } from '../support/small-machine.ts';

export const ALPHA = 'alpha.test.local';
export const BETA = 'beta.test.local';

/** A run that is there at once. */
export const SHORT_RUN = ['--seconds', '2', '--speed', '0', '--chunk-seconds', '1'];

/** A small machine with short limits of the database. */
export function config(changes: Changes = {}): Configuration {
  return smallMachine({
    ...changes,
    database: { callTimeoutSeconds: 2, ...changes.database },
    limits: { idlePollSeconds: 2, ...changes.limits },
  });
}

/** The one attempt at a run went through: done, not counted, listed once, in history once. */
export async function doneOnce(lab: Lab, number: number): Promise<StoredRun> {
  const run = await lab.reached(number, ['done']);
  expect(run.bootstrax.n_failures ?? 0).toBe(0);
  const history = await until(`the history of run ${number} to be complete`, async () => {
    const attempts = await lab.attempts.find({ run: number }).toArray();
    return attempts.every(({ result }) => result !== null) ? attempts : null;
  });
  expect(history.map(({ result }) => result?.outcome)).toEqual(['done']);
  const types = run.data.map(({ type }) => type);
  expect(types).toContain('raw_records');
  expect(new Set(types).size).toBe(types.length);
  for (const { host, location } of run.data) {
    if (host !== 'daq') expect(existsSync(String(location)), String(location)).toBe(true);
  }
  return run;
}

/** Processes other than those of managers and servers that write to files of this lab. */
export function attemptProcesses(lab: Lab): { pid: number; log: string }[] {
  const found: { pid: number; log: string }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const log = readlinkSync(`/proc/${name}/fd/1`);
      if (log.startsWith(lab.root) && log.includes('/attempts/')) {
        found.push({ pid: Number(name), log });
      }
    } catch {
      // Gone, or a process of the kernel.
    }
  }
  return found;
}

/** Waits until no process of any attempt is left. */
export async function noOrphans(lab: Lab): Promise<void> {
  await until('no process of an attempt to be left', () => attemptProcesses(lab).length === 0, 30);
}

/** Directory of an attempt of a host. */
export function directoryOf(lab: Lab, host: string, attempt: unknown): string {
  return join(lab.stateDir(host), 'attempts', String(attempt));
}

/** A file of an attempt as JSON, or null if it is not there or not (yet) whole. */
export function readJson(directory: string, file: string): Record<string, unknown> | null {
  try {
    return JSON.parse(readFileSync(join(directory, file), 'utf8')) as Record<string, unknown>;
  } catch {
    return null;
  }
}
