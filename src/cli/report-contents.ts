import { readFile, stat } from 'node:fs/promises';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import { readLogEnd } from '../attempts/log-file.ts';
import { listAttempts, readAttempt, type AttemptFiles } from '../attempts/directory.ts';
import type { Loaded } from '../config/load.ts';
import { packageDirectory } from '../config/paths.ts';
import { showSettings } from '../config/show.ts';
import { explain } from '../domain/explain.ts';
import { fleetFacts } from '../store/fleet-facts.ts';
import type { Store } from '../store/types.ts';
import { withStore } from './database.ts';
import { checkDatabase, checkHost, checkPython } from './doctor-checks.ts';
import { findRun } from './find-run.ts';
import { hostFacts, hostViews } from './host-view.ts';
import { unknownVariables } from './settings.ts';
import { versionOfThis } from './version.ts';

const LOG_LINES = 400;
/** So many of the newest attempts at a run bring their files. */
const MOST_LOGS = 5;
const MOST_ATTEMPTS = 50;
/** Text files of an attempt that tell what it did. */
const ATTEMPT_TEXTS = ['log.txt', 'progress.ndjson', 'stacks.txt', 'open-files.txt'];

/**
 * What a bug report holds. A part that cannot be had is an object `{unavailable}` that says why:
 * a report is wanted most when things are broken.
 */
export async function collectReport(loaded: Loaded, run: number | null): Promise<object> {
  const { settings, sources, file } = loaded;
  const [versions, host, python, database, logs] = await Promise.all([
    part(versionsOf),
    part(() => checkHost(loaded)),
    part(() => checkPython(settings)),
    part(() => checkDatabase(loaded)),
    part(() => logsOf(settings.paths.stateDir)),
  ]);
  return {
    report: 1,
    created: new Date().toISOString(),
    host: settings.host.name,
    versions,
    configuration: {
      file,
      settings: showSettings(settings, sources),
      unknownVariables: unknownVariables(process.env),
    },
    doctor: { host, python, database },
    logs,
    ...(await fromDatabase(loaded, run)),
    ...(run === null
      ? {}
      : { attemptsOnThisHost: await part(() => attemptsOf(settings.paths.stateDir, run)) }),
  };
}

async function part<T>(make: () => Promise<T>): Promise<T | { unavailable: string }> {
  try {
    return await make();
  } catch (error) {
    return { unavailable: error instanceof Error ? error.message : String(error) };
  }
}

async function versionsOf(): Promise<object> {
  const manifest = await readFile(join(packageDirectory(), 'MANIFEST'), 'utf8').catch(() => null);
  return {
    bootstrax: versionOfThis(),
    node: process.version,
    linux: release(),
    architecture: arch(),
    installedFrom: manifest === null ? 'a checkout' : manifest.trim().split('\n'),
  };
}

async function logsOf(stateDir: string): Promise<object> {
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

async function fromDatabase(loaded: Loaded, run: number | null): Promise<object> {
  if (loaded.settings.database.url === null) return { database: { unavailable: 'no URL is set' } };
  const found = await part(() =>
    withStore(loaded, async (store) => ({
      serverTime: await store.serverTime(),
      hosts: await part(() => store.hosts.all()),
      ...(run === null ? {} : { run: await part(() => aboutRun(loaded, store, run)) }),
    })),
  );
  return { database: found };
}

async function aboutRun({ settings }: Loaded, store: Store, run: number): Promise<object> {
  const { document, parsed } = await findRun(store, run);
  const now = await store.serverTime();
  const facts = hostFacts(settings, await hostViews(store, settings, now));
  const { role, primaries } = settings.host;
  const fleet = await fleetFacts({ store, rules: settings.rules, role, primaries }, now);
  return {
    document,
    explain: explain(parsed, facts, fleet, settings.rules, now),
    history: await store.attempts.ofRun(run, MOST_ATTEMPTS),
  };
}

/** The newest attempts at a run that are kept on this host's disk, newest first. */
async function attemptsOf(stateDir: string, run: number): Promise<object[]> {
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
