import { cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { Decimal128, Long, MongoError, type ObjectId } from 'mongodb';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { claimDecision } from '../../src/claim/claim.pure.ts';
import type { MalformedView } from '../../src/cli/framework/malformed-runs.ts';
import { defaultRules } from '../../src/infra/config/rules.pure.ts';
import { resolveLiveDirectory } from '../../src/plan/plan.pure.ts';
import { unmendable } from '../../src/retry/unmendable.pure.ts';
import { idText } from '../../src/run/document-id.ts';
import { type FieldProblem, parseRun } from '../../src/run/run.pure.ts';
import { RUN_PROJECTION } from '../../src/run/run-filters.ts';
import { lastJson } from '../integration/cli/bundle.ts';
import { Lab, until } from '../support/lab.ts';
import { smallMachine } from '../support/small-machine.ts';
import { amount, SEARCH_SEED } from '../support/tier.ts';
import { mutated, type Mutation, mutations, nested, omissions, wellFormed } from './documents.ts';

const DOCUMENTS = {
  mutated: amount({ daily: 120, nightly: 400 }),
  optional: amount({ daily: 30, nightly: 100 }),
};
const HOST = 'alpha.test.local';
const PATIENCE_SECONDS = 420;
/** All documents are read and decided about each time: more often, and the manager waits for that. */
const LOOK_MS = 2000;
/** As the reference's: a run that has failed here is not tried again within the test. */
const CONFIG = smallMachine({
  retry: { baseSeconds: 3600, uncounted: { firstSeconds: 3600 } },
});

let lab: Lab;
beforeEach(async () => {
  lab = await Lab.start();
});
afterEach(async () => {
  await lab.end();
});

/** Name, size and time of change of all below a folder. */
async function listing(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return Promise.all(
    names.sort().map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}

/** Live data and products where a document may only pretend that they are a run's. */
async function makeSentinels(): Promise<string[]> {
  const beside = join(lab.root, 'beside');
  const folders = [beside, `${lab.live}-not`, `${lab.output}-not`];
  for (const folder of folders) {
    for (const run of ['004711', '001000', '001234-raw_records-abc']) {
      await mkdir(join(folder, run), { recursive: true });
      await writeFile(join(folder, run, 'precious'), 'do not touch');
    }
    await cp(folder, join(folder, 'deeper'), { recursive: true }).catch(() => undefined);
  }
  return folders;
}

/** Places that a document must not lead anybody to. */
function leadingAstray(): Mutation[][] {
  const locations = [
    ...[join(lab.root, 'beside'), `${lab.live}-not`, `${lab.live}/../beside`, `${lab.live}/..`],
    ...[`${lab.live}/./../live-not`, '/', '/etc', `${lab.live}/../..`, `${lab.live}\0`],
  ];
  return locations.flatMap((location) => [
    [{ path: 'data.0.location', value: location }],
    [
      { path: 'data.1.host', value: HOST },
      { path: 'data.1.location', value: join(location.replaceAll('\0', ''), '004711') },
    ],
    [{ path: 'daq_config.processing_threads', value: { [`../${location}`]: 1 } }],
  ]);
}

/** MongoDB's own limit is 100. */
const DEEPEST = 90;

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/**
 * Given up for the database, which compares numbers of all kinds: no manager is shown it, and so none
 * sets it aside; it is listed all the same.
 */
function isBeyondTheLimit({ bootstrax }: Record<string, unknown>): boolean {
  const failures = (bootstrax as { n_failures?: unknown } | null)?.n_failures;
  const isNumber =
    failures instanceof Decimal128 || failures instanceof Long || typeof failures === 'number';
  return isNumber && Number(String(failures)) >= defaultRules.retry.maxFailures;
}

/** What keeps every attempt from succeeding at a run whose live data is not there, as none is here. */
function faultsWithoutLiveData(document: unknown): readonly FieldProblem[] {
  const parsed = parseRun(document);
  if (parsed.kind === 'malformed') return parsed.malformed.problems;
  const live = resolveLiveDirectory(parsed.run, [lab.live]);
  const path = live.kind === 'directory' ? live.path : '';
  return unmendable(parsed.run, { kind: 'missing', path })?.problems ?? [];
}

/** As a database can hold it; null where it cannot. */
function storable(document: Record<string, unknown>): Record<string, unknown> | null {
  try {
    const bytes = BSON.serialize(document);
    const stored = BSON.deserialize(bytes);
    return bytes.length > 1_000_000 || depthOf(stored) > DEEPEST ? null : stored;
  } catch {
    return null;
  }
}

/** Inserts one after the other; answers the numbers of those that only lack optional fields. */
async function insertFuzzed(): Promise<number[]> {
  const now = Date.now();
  const runs = lab.runsDatabase.collection('runs');
  let inserted = 0;
  // Other programs may use any kind of id.
  const ids: unknown[] = ['text', 5, { of: 'two', parts: 1 }];
  const add = async (changes: Mutation[]): Promise<number | null> => {
    const number = 1000 + inserted;
    const began = { number, start: new Date(now - 3_600_000), end: new Date(now - 60_000) };
    const base: Record<string, unknown> = { ...wellFormed(lab.live), ...began };
    if (number % 2 === 0) base['bootstrax'] = { state: null };
    const document = storable(mutated(base, changes));
    if (document === null) return null;
    if (inserted % 5 === 0 && ids.length > 0) document['_id'] = ids.pop();
    try {
      await runs.insertOne(document);
    } catch (error) {
      // The server's own limits: names of fields with a dollar, dates after the year 9999.
      if (error instanceof MongoError) return null;
      throw error;
    }
    inserted++;
    return number;
  };
  for (const changes of leadingAstray()) await add(changes);
  for (const path of ['data', 'bootstrax', 'daq_config', 'tags', 'rate', 'number', 'start']) {
    await add([{ path, value: nested(DEEPEST - 5) }]);
  }
  for (const changes of fc.sample(mutations, {
    seed: SEARCH_SEED,
    numRuns: 4 * DOCUMENTS.mutated,
  })) {
    if (inserted >= DOCUMENTS.mutated) break;
    await add(changes);
  }
  const optional = [];
  for (const changes of fc.sample(omissions, { seed: SEARCH_SEED, numRuns: DOCUMENTS.optional })) {
    optional.push(await add(changes));
  }
  expect(inserted).toBe(DOCUMENTS.mutated + DOCUMENTS.optional);
  return optional.filter((number) => number !== null);
}

it('fuzzed documents end no manager, lead it nowhere, and the malformed ones are listed', async () => {
  process.stdout.write(`fuzz, live: FUZZ_SEED=${SEARCH_SEED}\n`);
  const sentinels = await makeSentinels();
  const untouched = await Promise.all(sentinels.map(listing));
  const optional = await insertFuzzed();
  const manager = await lab.manager({ host: HOST, config: CONFIG, env: { BOOTSTRAX_SLOTS: '3' } });
  const runs = lab.runsDatabase.collection<Record<string, unknown> & { _id: ObjectId }>('runs');

  const host = { host: HOST, role: 'primary', accepting: { ok: true } } as const;
  const fleet = { queueLength: 0, livePrimaries: 1 };
  const left = async () => {
    if (manager.child.exitCode !== null) throw new Error(`the manager ended:\n${manager.story()}`);
    const now = new Date();
    const all = await runs.find().toArray();
    return all.filter((document) => {
      const parsed = parseRun(document);
      const { bootstrax } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
      const isHeld = ['considering', 'busy'].includes(bootstrax.state ?? '');
      if (isHeld) return bootstrax.host === HOST;
      if (isBeyondTheLimit(document)) return false;
      return claimDecision(parsed, host, { fleet, rules: defaultRules, now }).kind !== 'pass';
    });
  };
  await until(
    'all documents to be dealt with',
    async () => (await left()).length === 0,
    PATIENCE_SECONDS,
    LOOK_MS,
  );

  const after = await Promise.all(sentinels.map(listing));
  expect(after).toEqual(untouched);
  expect(await readdir(lab.output)).toEqual([]);
  expect(await readdir(lab.live)).toEqual([]);

  const { code, stdout, stderr } = await lab.command(['runs', '--malformed', '--json'], {
    host: HOST,
  });
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  const { runs: listed } = lastJson(stdout) as { runs: MalformedView[] };
  // As the program reads them: of other fields nobody asks.
  const stored = await runs.find({}, { projection: RUN_PROJECTION }).toArray();
  const expected = stored.flatMap((document) => {
    const parsed = parseRun(document);
    if (parsed.kind === 'run') return [];
    return [{ id: idText(document._id), problems: parsed.malformed.problems }];
  });
  const unreadable = new Set(expected.map(({ id }) => id));
  const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
  expect(
    listed
      .filter(({ id }) => unreadable.has(id))
      .map(({ id, problems }) => ({ id, problems }))
      .sort(byId),
  ).toEqual(expected.sort(byId));
  expect(expected.length).toBeGreaterThan(DOCUMENTS.mutated / 4);
  const documents = new Map(stored.map((document) => [idText(document._id), document]));
  // The others ask for what this context cannot make, or setting them aside has mended them, or no
  // attempt could go better.
  for (const { id, setAside, problems, oddities } of listed.filter(
    (each) => !unreadable.has(each.id),
  )) {
    // Or they are odd where it stops nothing.
    if (!setAside) {
      expect([id, oddities.length > 0, problems]).toEqual([id, true, []]);
      continue;
    }
    expect(problems.length).toBeGreaterThan(0);
    const faults = faultsWithoutLiveData(documents.get(id));
    for (const problem of problems) {
      if (!/^(mode$|bootstrax\.)/.test(problem.field)) expect(faults, id).toContainEqual(problem);
    }
  }
  const numbers = new Set(listed.map(({ run }) => run));
  expect(optional.filter((number) => numbers.has(number))).toEqual([]);

  // Life goes on.
  const [number] = await lab.takeRuns(['--runs', '1', '--seconds', '2']);
  const done = await lab.reached(number as number, ['done'], 240);
  expect(done.bootstrax.host).toBe(HOST);
  expect(manager.child.exitCode).toBeNull();
  expect(await Promise.all(sentinels.map(listing))).toEqual(untouched);
}, 900_000);
