import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

import { exitSchema, type Plan, type PluginGraph, type Progress,progressSchema, resultSchema, startedSchema } from '../../../../src/attempt/attempt.pure.ts';
import { createAttempt, readAttemptFile } from '../../../../src/attempt/files/attempt-directory.ts';
import { retireServers } from '../../../../src/attempt/worker/find-server.ts';
import { ForkServer } from '../../../../src/attempt/worker/fork-server.ts';
import type { ForkServerState } from '../../../../src/attempt/worker/fork-server-answers.ts';
import type { ForkServerOptions } from '../../../../src/attempt/worker/fork-server-options.ts';
import { serversOnDisk } from '../../../../src/attempt/worker/servers-on-disk.ts';
import { systemClock } from '../../../../src/infra/clock/clock.ts';
import { TaskGroup } from '../../../../src/infra/concurrency/task-group.ts';

export const PACKAGE = join(import.meta.dirname, '..', '..', '..', '..');
export const PYTHON = process.env.BOOTSTRAX_PYTHON ?? join(PACKAGE, '.venv', 'bin', 'python');
const CONTEXT = 'tiny_context:tiny';

/** Waits until the look gives something; throws after a minute. */
export async function until<T>(
  what: string,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const cleanUps: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bootstrax-worker-test-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Options of a server with the tests' own tiny context. */
export function tinyOptions(
  folder: string,
  changes: Partial<ForkServerOptions> = {},
): ForkServerOptions {
  return {
    python: PYTHON,
    workerDirectory: join(PACKAGE, 'worker'),
    cacheDirectory: join(tmpdir(), 'bootstrax-test-cache'),
    serversDirectory: join(folder, 'workers'),
    orphanLimitSeconds: 900,
    context: CONTEXT,
    contextOptions: {},
    warmUp: true,
    logFile: join(folder, 'worker.log'),
    pythonPath: join(PACKAGE, 'worker', 'tests'),
    environment: process.env,
    ...changes,
  };
}

export interface Watched {
  server: ForkServer;
  states: ForkServerState[];
  graphs: PluginGraph[];
  ended: string[];
  notes: string[];
  folder: string;
}

/** A running fork server; nothing of it is left after the test. `folder`: where another one was before. */
export function forkServer(
  changes: Partial<ForkServerOptions> = {},
  folder: string = temporaryFolder(),
): Watched {
  const watched: Omit<Watched, 'server'> = { states: [], graphs: [], ended: [], notes: [], folder };
  const options = tinyOptions(folder, changes);
  const server = new ForkServer(options, new TaskGroup(systemClock), {
    onState: (state) => watched.states.push(state),
    onGraph: (graph) => watched.graphs.push(graph),
    onEnded: (ended) => watched.ended.push(ended),
    onNote: (note) => watched.notes.push(note),
  });
  cleanUps.push(async () => {
    server.close();
    await retireServers(options.serversDirectory);
    await until('all servers to end', () => serversOnDisk(options.serversDirectory).length === 0);
  });
  server.start();
  return { server, ...watched };
}

export const settled = ({ server }: Watched): Promise<ForkServerState> =>
  until('the server to be ready', () => server.state.kind !== 'starting' && server.state);

/** Waits until the servers of this folder take attempts. */
export function ready(folder: string): Promise<boolean> {
  return until('the server to be found', () => {
    const servers = serversOnDisk(join(folder, 'workers'));
    return servers.length > 0 && servers.every(({ state }) => state === 'ready');
  });
}

/** An attempt directory with its plan. */
export async function attempt(
  folder: string,
  runConfig: Record<string, unknown> = {},
  changes: Partial<Plan> = {},
) {
  const plan: Plan = {
    version: 1,
    attempt: randomBytes(12).toString('hex'),
    run: 7,
    runId: '000007',
    host: 'here.test',
    context: CONTEXT,
    contextOptions: {},
    targets: ['tiny_sum'],
    postProcessing: [],
    processor: 'threaded_mailbox',
    cores: 1,
    maxMessages: 4,
    timeoutSeconds: 60,
    recordsCompressor: 'lz4',
    runConfig,
    liveDataDirectory: join(folder, 'live'),
    outputDirectory: join(folder, `output-${randomBytes(4).toString('hex')}`),
    failures: 0,
    dropped: [],
    orphanLimitSeconds: 900,
    reasons: [],
    ...changes,
  };
  const directory = await createAttempt(folder, plan);
  const read = async <T extends { attempt: string }>(
    file: string,
    schema: Parameters<typeof readAttemptFile<T>>[2],
  ): Promise<T | null> => {
    const found = await readAttemptFile(directory, file, schema);
    if (found.kind === 'problem') throw new Error(`${file}: ${found.problem}`);
    return found.kind === 'read' ? found.value : null;
  };
  return {
    plan,
    directory,
    started: () => until('started.json', () => read('started.json', startedSchema)),
    result: () => read('result.json', resultSchema),
    exit: () => until('exit.json', () => read('exit.json', exitSchema)),
    progress: (): Progress[] => progressLines(directory),
  };
}

function progressLines(directory: string): Progress[] {
  let text: string;
  try {
    text = readFileSync(join(directory, 'progress.ndjson'), 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => progressSchema.parse(JSON.parse(line)));
}
