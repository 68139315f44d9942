import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Settings } from '../config/entries.ts';
import type { Loaded } from '../config/load.ts';
import type { Store } from '../store/types.ts';
import { withStore } from './database.ts';
import { checkOneManager } from './doctor-exclusion.ts';
import type { Finding } from './doctor-finding.ts';
import { bytes } from './output.ts';
import { pythonEnvironment } from './python-environment.ts';

export type { Finding } from './doctor-finding.ts';

const run = promisify(execFile);

/** Importing strax and straxen takes seconds, on a cold disk many. */
const IMPORT_LIMIT_SECONDS = 120;
/** Clocks further apart than this confuse people, seconds; no decision depends on it. */
const CLOCK_LIMIT_SECONDS = 2;
const STREAM_LIMIT_SECONDS = 2;

function ok(check: string, says: string): Finding {
  return { check, state: 'ok', says, todo: null };
}

function warn(check: string, says: string, todo: string): Finding {
  return { check, state: 'warn', says, todo };
}

function problem(check: string, says: string, todo: string): Finding {
  return { check, state: 'problem', says, todo };
}

/** Host name, folders, disk, cores. */
export async function checkHost({ settings, sources }: Loaded): Promise<Finding[]> {
  const { output, liveData, stateDir } = settings.paths;
  return [
    checkName(settings.host.name, sources['host.name']?.kind === 'default'),
    await checkOutput(output),
    await checkLiveData(liveData),
    await checkState(stateDir),
    await checkDisk(output, settings),
    checkCores(settings),
  ];
}

function checkName(name: string, isDefault: boolean): Finding {
  if (name.includes('.') || !isDefault) return ok('host name', name);
  return problem(
    'host name',
    `this machine calls itself ${name}, without a domain; other programs look for the full name`,
    `give it one in /etc/hosts ("127.0.1.1 ${name}.your.domain ${name}"), or set BOOTSTRAX_HOST`,
  );
}

async function checkOutput(folder: string): Promise<Finding> {
  const { checkWritableFolder } = await import('../machine/disk.ts');
  const found = await checkWritableFolder(folder);
  if (found.kind === 'writable') return ok('output folder', folder);
  return problem('output folder', found.reason, 'create it, or set BOOTSTRAX_OUTPUT');
}

async function checkLiveData(folder: string): Promise<Finding> {
  try {
    await access(folder, constants.R_OK | constants.X_OK);
    return ok('live data', folder);
  } catch {
    return problem('live data', `${folder} cannot be read`, 'mount it, or set BOOTSTRAX_LIVE_DATA');
  }
}

async function checkState(folder: string): Promise<Finding> {
  // The folder itself is made by the first command that needs it.
  for (let place = folder; ; place = dirname(place)) {
    try {
      await access(place, constants.W_OK | constants.X_OK);
      return ok('state folder', folder);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (missing && place !== dirname(place)) continue;
      return problem('state folder', `${place} cannot be written`, 'set BOOTSTRAX_STATE_DIR');
    }
  }
}

async function checkDisk(folder: string, { rules }: Settings): Promise<Finding> {
  const { diskSpace } = await import('../machine/disk.ts');
  const { diskProblem } = await import('../manager/host-health.ts');
  try {
    const space = await diskSpace(folder);
    const full = diskProblem(folder, space, rules.disk);
    if (full === null) {
      return ok('disk', `${bytes(space.freeBytes)} free, ${space.usedPercent.toFixed(0)} % used`);
    }
    return problem('disk', full, 'make room, or change disk.max_used_percent, disk.min_free_bytes');
  } catch {
    return problem('disk', `the space below ${folder} cannot be told`, 'create the output folder');
  }
}

function checkCores({ host, rules }: Settings): Finding {
  const present = availableParallelism();
  const rows = rules.resources.tables[host.resourceTable] ?? [];
  const wanted = Math.max(...rows.map(({ cores }) => cores));
  if (wanted * host.slots <= present) return ok('cores', `${present}`);
  return warn(
    'cores',
    `${present} cores, but the resource table ${host.resourceTable} gives ${wanted} to one run`,
    'choose another table with host.resource_table, or bring one of your own (resources.tables)',
  );
}

/** The interpreter, and strax in it. */
export async function checkPython(settings: Settings): Promise<Finding[]> {
  const { python } = settings.worker;
  const code =
    'import json, sys, strax\n' +
    'try:\n import straxen\n straxen_version = straxen.__version__\n' +
    'except ImportError:\n straxen_version = None\n' +
    'print(json.dumps([sys.version.split()[0], strax.__version__, straxen_version]))';
  try {
    const { stdout } = await run(python, ['-c', code], {
      env: pythonEnvironment(settings),
      timeout: IMPORT_LIMIT_SECONDS * 1000,
    });
    const last = stdout.trim().split('\n').at(-1) ?? '[]';
    const [version, strax, straxen] = JSON.parse(last) as (string | null)[];
    const versions = `Python ${version}, strax ${strax}, straxen ${straxen ?? 'absent'}`;
    return [ok('python', `${python}: ${versions}`)];
  } catch (error) {
    const { code: cause, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (cause === 'ENOENT') {
      return [problem('python', `there is no ${python}`, 'make setup, or set BOOTSTRAX_PYTHON')];
    }
    const reason = stderr?.trim().split('\n').at(-1) || message;
    return [
      problem(
        'python',
        `${python} cannot import strax: ${reason}`,
        'make setup, or another python',
      ),
    ];
  }
}

/** Reachable, fast change notices, indexes, privileges, clock. */
export async function checkDatabase(loaded: Loaded): Promise<Finding[]> {
  if (loaded.settings.database.url === null) {
    return [
      problem('database', 'no URL is set', 'set BOOTSTRAX_MONGO_URL, or run with --embedded'),
    ];
  }
  return withStore(loaded, async (store) => {
    try {
      await store.ping();
    } catch (error) {
      const todo = 'is the server running, the URL right, the network up?';
      return [problem('database', (error as Error).message, todo)];
    }
    return [
      ok('database', 'both databases answer'),
      await checkClock(store),
      await checkOneManager(store, loaded.settings.host.name),
      await checkChangeStream(store, loaded.settings),
      ...(await checkIndexes(store, loaded.settings)),
    ];
  });
}

async function checkClock(store: Store): Promise<Finding> {
  const before = Date.now();
  const server = (await store.serverTime()).getTime();
  const own = (before + Date.now()) / 2;
  const apart = (own - server) / 1000;
  const says = `${Math.abs(apart).toFixed(1)} s ${apart > 0 ? 'ahead of' : 'behind'} the server's`;
  if (Math.abs(apart) < CLOCK_LIMIT_SECONDS) return ok('clock', says);
  return warn('clock', says, 'let chrony or ntp set this machine’s clock');
}

async function checkChangeStream(store: Store, { database }: Settings): Promise<Finding> {
  if (!database.changeStream) return ok('change stream', 'switched off: runs are found by polling');
  const answer = await store.runs.watch(
    () => undefined,
    AbortSignal.timeout(STREAM_LIMIT_SECONDS * 1000),
  );
  if (answer === 'aborted') return ok('change stream', 'new runs are noticed at once');
  return warn(
    'change stream',
    'this server offers none: new runs are found by polling',
    'make the server a replica set, and grant changeStream on the runs collection',
  );
}

async function checkIndexes(store: Store, { database }: Settings): Promise<Finding[]> {
  try {
    const missing = await store.missingIndexes();
    if (missing.length === 0) return [ok('indexes', 'all there')];
    const named = missing.map(({ database, collection }) => `${database}.${collection}`);
    const says = `${missing.length} missing (${[...new Set(named)].join(', ')}): queries are slow`;
    if (database.manage) return [warn('indexes', says, 'the manager creates them at its start')];
    const commands = missing.map(({ command }) => command).join('\n');
    const todo = `have the server's administrator do this, or set database.manage = true and grant createIndex:\n${commands}`;
    return [warn('indexes', says, todo)];
  } catch (error) {
    return [
      problem(
        'indexes',
        (error as Error).message,
        'grant listIndexes, find, insert and update on both databases to this account',
      ),
    ];
  }
}
