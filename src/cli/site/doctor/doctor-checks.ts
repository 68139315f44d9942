import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import { pluginGraphSchema } from '../../../attempt/attempt.pure.ts';
import type { Settings } from '../../../infra/config/entries.ts';
import type { Loaded } from '../../../infra/config/load-config.ts';
import { StoreError } from '../../../infra/mongo/store-error.ts';
import { counted } from '../../../infra/values/counted.pure.ts';
import { unknownDefaultTargets } from '../../../plan/targets.pure.ts';
import type { Store } from '../../../ports/store.ts';
import { bytes } from '../../framework/output.ts';
import { pythonEnvironment } from '../../framework/python-environment.ts';
import { withStore } from '../../framework/with-database.ts';
import { checkOneManager } from './doctor-exclusion.ts';
import type { Finding } from './doctor-finding.ts';
import { checkSharing, checkStaging } from './doctor-folders.ts';

export type { Finding } from './doctor-finding.ts';

const run = promisify(execFile);

/** Importing strax and straxen takes seconds, on a cold disk many. */
const IMPORT_LIMIT_SECONDS = 120;
/** Clocks further apart than this confuse people, seconds; no decision depends on it. */
const CLOCK_LIMIT_SECONDS = 2;
/** Opening takes milliseconds; a server that cannot be reached is tried again and again. */
const STREAM_LIMIT_SECONDS = 5;

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
    ...(await checkOutput(settings)),
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
    `this machine calls itself ${name}, without a domain; other programs use the full name`,
    `give it one in /etc/hosts ("127.0.1.1 ${name}.your.domain ${name}"), or set BOOTSTRAX_HOST`,
  );
}

async function checkOutput({ paths, host }: Settings): Promise<Finding[]> {
  const { checkWritableFolder } = await import('../../../infra/disk/disk.ts');
  const found = await checkWritableFolder(paths.output);
  if (found.kind !== 'writable') {
    return [problem('output folder', found.reason, 'create it, or set BOOTSTRAX_OUTPUT')];
  }
  return [
    ok('output folder', paths.output),
    await checkStaging(paths),
    await checkSharing(paths.output, host.name),
  ];
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
  const { diskSpace } = await import('../../../infra/disk/disk.ts');
  const { diskProblem } = await import('../../../host/host-health.ts');
  try {
    const space = await diskSpace(folder);
    const full = diskProblem(folder, space, rules.disk);
    if (full === null) {
      return ok('disk', `${bytes(space.freeBytes)} free, ${space.usedPercent.toFixed(0)} % used`);
    }
    return problem('disk', full, 'make room, or change disk.max_used_percent, disk.min_free_bytes');
  } catch {
    return problem('disk', `the space below ${folder} cannot be read`, 'create the output folder');
  }
}

function checkCores({ host, rules }: Settings): Finding {
  const present = availableParallelism();
  const rows = rules.resources.tables[host.resourceTable] ?? [];
  const wanted = Math.max(...rows.map(({ cores }) => cores));
  if (wanted * host.slots <= present) return ok('cores', `${present}`);
  return warn(
    'cores',
    `${counted(present, 'core')}, but the resource table ${host.resourceTable} gives ${wanted} to one run`,
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
    return [ok('python', `${python}: ${versions}`), await checkContext(settings)];
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

/** The strax context, built as the worker builds it. */
async function checkContext(settings: Settings): Promise<Finding> {
  const { python, context, contextOptions } = settings.worker;
  const code =
    'import json, sys\n' +
    'from bootstrax_worker.context import ContextUnusable, LoadedContext\n' +
    'try:\n loaded = LoadedContext(sys.argv[1], json.loads(sys.argv[2]))\n' +
    'except ContextUnusable as error:\n sys.exit(str(error))\n' +
    'print(json.dumps(loaded.graph()))';
  const todo =
    'correct worker.context (module:function), its options, or what is installed beside it';
  try {
    const { stdout } = await run(python, ['-c', code, context, JSON.stringify(contextOptions)], {
      cwd: '/',
      env: pythonEnvironment(settings),
      timeout: IMPORT_LIMIT_SECONDS * 1000,
    });
    const graph = pluginGraphSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    const unknown = unknownDefaultTargets(settings.rules.targets, graph);
    const count = Object.keys(graph.types).length;
    if (unknown.length === 0) return ok('context', `${context} makes ${count} data types`);
    return problem(
      'context',
      `${context} does not make ${unknown.join(', ')}`,
      'correct targets.default, targets.post_processing or the context',
    );
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return problem('context', stderr?.trim().split('\n').at(-1) || message, todo);
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
      return [problem('database', (error as Error).message, whatHelps(error))];
    }
    return [
      ok('database', 'both databases answer'),
      await checkClock(store),
      await checkOneManager(store, loaded.settings.host.name),
      await checkChangeStream(store, loaded.settings),
      ...(await checkPrivileges(loaded.settings)),
      ...(await checkIndexes(store, loaded.settings)),
    ];
  });
}

function whatHelps(error: unknown): string {
  const kind = error instanceof StoreError ? error.kind : 'unreachable';
  switch (kind) {
    case 'unauthorized':
      return 'correct user and password (database.credentials_file); waiting does not help';
    case 'unsupported':
      return 'MongoDB 4.4 or newer is needed; waiting does not help';
    default:
      return 'is the server running, the URL right, the network up?';
  }
}

/** What the account may do, for each server by itself. */
async function checkPrivileges({ database }: Settings): Promise<Finding[]> {
  const { askPrivileges, neededPrivileges, roleCommand } =
    await import('../../../database/privileges.ts');
  const names = { runs: database.runsDb, daq: database.daqDb };
  const needed = neededPrivileges(database);
  const { url, daqUrl, credentials, callTimeoutSeconds } = database;
  const servers = [
    { url, credentials: credentials.runs, of: daqUrl === null ? ['runs', 'daq'] : ['runs'] },
    ...(daqUrl === null ? [] : [{ url: daqUrl, credentials: credentials.daq, of: ['daq'] }]),
  ];
  const findings = servers.map(async (server): Promise<Finding> => {
    const here = needed.filter((privilege) => server.of.includes(privilege.database));
    const granted = await askPrivileges(
      { url: server.url ?? '', credentials: server.credentials, callTimeoutSeconds },
      here,
      names,
    );
    const check = 'privileges';
    switch (granted.kind) {
      case 'nobody':
        return ok(check, 'the server asks nobody for a password, and allows everything');
      case 'unknown':
        return warn(
          check,
          `what this account may do is not known: ${granted.why}`,
          "try it with 'bootstrax doctor --contract URL'",
        );
      case 'known': {
        const who = granted.users.join(', ');
        if (granted.missing.length === 0) return ok(check, `${who} has all of them`);
        const lacking = granted.missing.map(
          (privilege) =>
            `${names[privilege.database]}.${privilege.collection}: ${privilege.actions.join(', ')}`,
        );
        return problem(
          check,
          `${who} lacks ${lacking.join('; ')}`,
          `as the server's administrator:\n${roleCommand('bootstrax', here, names)}`,
        );
      }
    }
  });
  return Promise.all(findings);
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
  const ends = new AbortController();
  const limit = setTimeout(() => ends.abort(), STREAM_LIMIT_SECONDS * 1000);
  let opened = false;
  const answer = await store.runs.watch((hint) => {
    // It says so itself once it is open.
    if (hint !== null) return;
    opened = true;
    ends.abort();
  }, ends.signal);
  clearTimeout(limit);
  if (opened) return ok('change stream', 'new runs are noticed at once');
  return warn(
    'change stream',
    answer === 'unsupported'
      ? 'this server offers none to this account: new runs are found by polling'
      : `none could be opened within ${STREAM_LIMIT_SECONDS} s: new runs are found by polling`,
    'make the server a replica set, and grant changeStream on the runs collection',
  );
}

async function checkIndexes(store: Store, { database }: Settings): Promise<Finding[]> {
  try {
    const missing = await store.missingIndexes();
    if (missing.length === 0) return [ok('indexes', 'all there')];
    const named = missing.map((index) => `${index.database}.${index.collection}`);
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
