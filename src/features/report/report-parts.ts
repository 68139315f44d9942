import { readFile, stat } from 'node:fs/promises';
import { arch, release } from 'node:os';
import { join } from 'node:path';

import {
  type AttemptFiles,
  listAttempts,
  readAttempt,
} from '../../attempt/files/attempt-directory.ts';
import { readLogEnd } from '../../attempt/files/log-file.ts';
import { packageDirectory } from '../../infra/config/paths.ts';
import { versionOfThis } from '../../infra/config/version.ts';

const LOG_LINES = 400;
/** Number of the newest attempts at a run whose files are in the report. */
const MOST_LOGS = 5;
/** Text files of an attempt that belong into the report. */
const ATTEMPT_TEXTS = ['log.txt', 'progress.ndjson', 'stacks.txt', 'open-files.txt'];

/** One part of the report, or why it is missing: a report is needed most when things are broken. */
export async function part<T>(make: () => Promise<T>): Promise<T | { unavailable: string }> {
  try {
    return await make();
  } catch (error) {
    return { unavailable: error instanceof Error ? error.message : String(error) };
  }
}

/** This program and its surroundings. */
export async function versionsOf(): Promise<object> {
  const manifest = await readFile(join(packageDirectory(), 'MANIFEST'), 'utf8').catch(() => null);
  return {
    bootstrax: versionOfThis(),
    node: process.version,
    linux: release(),
    architecture: arch(),
    installedFrom: manifest === null ? 'a checkout' : manifest.trim().split('\n'),
  };
}

/** The ends of the logs in the state folder. */
export function logsOf(stateDir: string): Promise<Record<string, string>> {
  return endsOf(stateDir, ['worker.log', 'manager.log', 'db/log.txt']);
}

/** The last lines of text files, by name; a file that is not there is empty. */
async function endsOf(folder: string, names: readonly string[]): Promise<Record<string, string>> {
  const ends = names.map(async (name) => {
    const { text } = await readLogEnd(join(folder, name), LOG_LINES);
    return [name, text] as const;
  });
  return Object.fromEntries(await Promise.all(ends));
}

/** The newest attempts at a run whose files are on this host, newest first. */
export async function attemptsOf(stateDir: string, run: number): Promise<object[]> {
  const found: { attempt: AttemptFiles; at: number }[] = [];
  for (const id of await listAttempts(stateDir)) {
    const attempt = await readAttempt(stateDir, id);
    if (attempt?.plan?.run !== run) continue;
    const { mtimeMs } = await stat(join(attempt.directory, 'plan.json'));
    found.push({ attempt, at: mtimeMs });
  }
  const newest = found.sort((a, b) => b.at - a.at).slice(0, MOST_LOGS);
  return Promise.all(
    newest.map(async ({ attempt }) => ({
      ...attempt,
      texts: await endsOf(attempt.directory, ATTEMPT_TEXTS),
    })),
  );
}
