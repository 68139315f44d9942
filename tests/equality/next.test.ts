import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import type { Db } from 'mongodb';
import { parse, stringify } from 'smol-toml';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { candidatePages } from '../../src/claim/candidates.ts';
import type { FleetFacts } from '../../src/claim/claim.pure.ts';
import { fleetFacts } from '../../src/claim/fleet-facts.ts';
import { type NextRuns, nextRuns } from '../../src/claim/next-runs.pure.ts';
import { hostFacts, hostViews } from '../../src/cli/look/host-view.ts';
import { openStore } from '../../src/database/open.ts';
import { describeError } from '../../src/infra/config/configuration-error.ts';
import type { Settings } from '../../src/infra/config/entries.ts';
import { resolveSettings } from '../../src/infra/config/resolve.ts';
import type { Store } from '../../src/ports/store.ts';
import { parseRun } from '../../src/run/run.pure.ts';
import { Lab, PACKAGE } from '../support/lab.ts';
import { HOSTS } from './cases.ts';
import { Differences } from './differences.ts';
import { queueOf } from './queues.ts';
import { Reference } from './reference.ts';

const QUEUES = 60;
/** Queues that are also shown to the command itself, which takes a process each. */
const BY_COMMAND = 2;
const CONFIG = join(PACKAGE, 'config/xenonnt.toml');

/** Differences of queues that the documentation lists: each of them is met by one of them. */
const LISTED = [
  ...['abandon-before-processing', 'dead-hosts-do-not-count', 'hold-holds', 'no-count-is-none'],
  ...['overdue-first', 'set-aside'],
];

let lab: Lab;
let store: Store;
let reference: Reference;
let signs: ReturnType<Db['collection']>;
beforeAll(async () => {
  lab = await Lab.start();
  const daq = lab.client.db(lab.daqDb);
  await daq
    .collection('log')
    .drop()
    .catch(() => undefined);
  signs = daq.collection('eb_monitor');
  store = openStore(
    {
      ...{ runsUrl: lab.url, daqUrl: null, runsDb: lab.runsDb, daqDb: lab.daqDb, manage: false },
      ...{ runsCredentials: null, daqCredentials: null, callTimeoutSeconds: 30 },
    },
    () => undefined,
  );
  reference = new Reference(['next', lab.url, lab.runsDb, lab.daqDb]);
});
afterAll(async () => {
  reference.end();
  await store.close();
  await lab.end();
});

async function settingsOf(hostName: string): Promise<Settings> {
  const resolution = resolveSettings({
    file: { path: CONFIG, text: await readFile(CONFIG, 'utf8'), privateToOwner: true },
    env: {},
    flags: {},
    facts: { hostName, packageDirectory: PACKAGE, stateHome: '/nonexistent' },
    workingDirectory: '/',
    home: '/nonexistent',
  });
  if (resolution.kind === 'errors') throw new Error(resolution.errors.map(describeError).join());
  return resolution.settings;
}

interface Answer {
  next: NextRuns;
  settings: Settings;
  fleet: FleetFacts;
  now: Date;
}

/** What `bootstrax next` answers, by the same functions. */
async function ours(host: string): Promise<Answer> {
  const settings = await settingsOf(host);
  const { rules } = settings;
  const { role, primaries } = settings.host;
  const now = await store.serverTime();
  const asked = { includeHeld: true, retries: { withinSeconds: 7 * 86_400 }, now };
  const [found, fleet, hosts] = await Promise.all([
    candidatePages({ store, rules, role }, asked).next(),
    fleetFacts({ store, rules, role, primaries }, now),
    hostViews(store, settings, now),
  ]);
  const parsed = (found.value ?? []).map((candidate) => candidate.parsed);
  return {
    next: nextRuns(parsed, hostFacts(settings, { hosts, waiting: 0 }), { fleet, rules, now }),
    settings,
    fleet,
    now,
  };
}

async function byCommand(host: string): Promise<unknown> {
  // The test's database wants no password.
  const file = parse(await readFile(CONFIG, 'utf8'));
  const database = { ...(file['database'] as object), credentials_file: undefined };
  const config = { text: stringify({ ...file, database }) };
  const env = { BOOTSTRAX_ROLE: '' };
  const { stdout, stderr } = await lab.command(['next', '--json'], { host, config, env });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
}

function bootstraxOf(document: Document): Record<string, unknown> {
  return (document['bootstrax'] ?? {}) as Record<string, unknown>;
}

interface Asked {
  runs: number[];
  /** May it process runs with the TPC now? */
  allowed: boolean;
  crash: string | null;
}

/** The reference's answer as the listed differences change it, with the ids of those that did. */
function expected(
  theirs: readonly number[],
  documents: ReadonlyMap<number, Document>,
  { settings, fleet, now }: Answer,
): { runs: number[]; by: Set<string> } {
  const by = new Set<string>();
  const tagged = (document: Document, name: string) =>
    ((document['tags'] ?? []) as { name: string }[]).some((tag) => tag.name === name);
  const documentOf = (number: number) => documents.get(number) as Document;
  const kept = theirs.filter((number) => {
    const document = documentOf(number);
    if (tagged(document, 'abandon')) by.add('abandon-before-processing');
    else if (tagged(document, 'hold-processing')) by.add('hold-holds');
    else if (parseRun(document).kind === 'malformed') by.add('set-aside');
    else return true;
    return false;
  });
  const uncounted = [...documents.values()].filter((document) => {
    const own = bootstraxOf(document);
    return (
      own['state'] === 'failed' &&
      own['n_failures'] === undefined &&
      own['next_retry'] instanceof Date &&
      own['next_retry'] < now &&
      !tagged(document, 'abandon') &&
      !tagged(document, 'hold-processing') &&
      parseRun(document).kind === 'run'
    );
  });
  if (uncounted.length > 0) by.add('no-count-is-none');
  const waiting = (number: number) => {
    const document = documentOf(number);
    return (
      now.getTime() - ((bootstraxOf(document)['next_retry'] ?? document['start']) as Date).getTime()
    );
  };
  const isNew = (number: number) => bootstraxOf(documentOf(number))['state'] !== 'failed';
  const startOf = (number: number) => (documentOf(number)['start'] as Date).getTime();
  const all = [...kept, ...uncounted.map(({ number }) => number as number)];
  const limit = settings.rules.claim.overdueSeconds * 1000;
  const overdue = all.filter((number) => waiting(number) > limit);
  const others = all.filter((number) => waiting(number) <= limit);
  if (overdue.length > 0 && all.length > 1) by.add('overdue-first');
  const sorted = [
    ...overdue.sort((a, b) => waiting(b) - waiting(a)),
    ...others.sort((a, b) => Number(isNew(b)) - Number(isNew(a)) || startOf(b) - startOf(a)),
  ];
  return { runs: withoutOwnClaims(sorted, documents, { settings, fleet }), by };
}

/** A backup host helps only while the queue is too long: what it has taken is not in it any more. */
function withoutOwnClaims(
  runs: number[],
  documents: ReadonlyMap<number, Document>,
  { settings, fleet }: Pick<Answer, 'settings' | 'fleet'>,
): number[] {
  const { mainDetector, backupQueueLength } = settings.rules.claim;
  if (settings.host.role !== 'backup' || fleet.livePrimaries === 0) return runs;
  let { queueLength } = fleet;
  return runs.filter((number) => {
    const document = documents.get(number)!;
    if (bootstraxOf(document)['state'] === 'failed') return true;
    const isMain = (document['detectors'] as string[]).includes(mainDetector);
    if (isMain && queueLength <= backupQueueLength) return false;
    queueLength -= 1;
    return true;
  });
}

/** Primary hosts with a fresh sign that says they take no runs: the reference counts them as running. */
function countsDeadHosts(queue: { signs: Document[] }, now: Date): boolean {
  return queue.signs.some(
    ({ host, state, time }) =>
      /eb[345]/.test(host as string) &&
      ['disk full', 'dead_bootstrax'].includes(state as string) &&
      now.getTime() - (time as Date).getTime() < 300_000,
  );
}

it('takes the runs that the reference would take, in its order', { timeout: 600_000 }, async () => {
  const differences = new Differences();
  let alike = 0;
  for (let seed = 0; seed < QUEUES; seed++) {
    const queue = queueOf(seed, (await store.serverTime()).getTime());
    await lab.runsDatabase.collection('runs').insertMany(queue.runs);
    if (queue.signs.length > 0) await signs.insertMany(queue.signs);
    const documents = new Map(queue.runs.map((run) => [run['number'] as number, run]));
    for (const host of HOSTS) {
      const mine = await ours(host);
      const { runs: took, allowed, crash } = await reference.ask<Asked>({ host });
      expect(crash).toBeNull();
      const want = expected(took, documents, mine);
      const got = mine.next.runs.map(({ run }) => run);
      const what = { seed, host, theirs: took, expected: want.runs, ours: got };
      const same = JSON.stringify(got) === JSON.stringify(want.runs);
      if (same) {
        for (const id of want.by) differences.add(id, what);
        if (want.by.size === 0) alike++;
      } else if (!allowed && countsDeadHosts(queue, mine.now)) {
        differences.add('dead-hosts-do-not-count', what);
      } else differences.add(null, what);
    }
    if (seed < BY_COMMAND) {
      for (const host of HOSTS) expect(await byCommand(host)).toEqual((await ours(host)).next);
    }
    await lab.runsDatabase.collection('runs').deleteMany({});
    await signs.deleteMany({});
  }
  process.stdout.write(
    `next: ${QUEUES} queues on ${HOSTS.length} hosts, ${alike} answers alike; ` +
      `listed differences: ${JSON.stringify(Object.fromEntries(differences.counts))}\n`,
  );
  expect(differences.unlisted.slice(0, 5)).toEqual([]);
  expect([...differences.counts.keys()].sort()).toEqual([...LISTED].sort());
  expect(alike).toBeGreaterThan(QUEUES);
});
