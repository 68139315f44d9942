import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BSON, type Document } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { defaultRules } from '../../src/infra/config/rules.pure.ts';
import { makePlan } from '../../src/plan/plan.pure.ts';
import { parseRun } from '../../src/run/run.pure.ts';
import { PACKAGE } from '../support/lab.ts';
import { amount } from '../support/tier.ts';
import { type Case, grid, HOST_TARGETS, strange } from './cases.ts';
import { Differences } from './differences.ts';
import { Reference } from './reference.ts';

const CASES = amount({ daily: 8000, nightly: 24_000 });

interface Decided {
  targets: string[];
  postProcessing: string[];
  cores: number;
  maxMessages: number;
  timeoutSeconds: number;
  recordsCompressor: string;
  /** Of the reference only: what strax is told of the data taking. */
  runConfig?: Record<string, unknown>;
}
type Theirs = Decided | { failed: string } | { crash: string };
type Ours = Decided | { malformed: { field: string; problem: string }[] };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootstrax-equality-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Two processes share the reference's part: it is the slower one by far. */
async function askReference(cases: readonly Case[]): Promise<Theirs[]> {
  const references = [new Reference(['plan']), new Reference(['plan'])];
  try {
    return await Promise.all(
      cases.map((each, i) => (references[i % 2] as Reference).ask<Theirs>(each)),
    );
  } finally {
    for (const reference of references) reference.end();
  }
}

/** Answers of `bootstrax plan --doc -`, one call for all cases that differ only in the document. */
async function askCommand(cases: readonly Case[]): Promise<{ answers: Ours[]; seconds: number }> {
  const groups = new Map<string, number[]>();
  cases.forEach(({ host, monitorRate, hostTargets }, i) => {
    const key = JSON.stringify([host, monitorRate, hostTargets]);
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  const answers: Ours[] = [];
  let seconds = 0;
  let file = 0;
  for (const indices of groups.values()) {
    const { host, monitorRate, hostTargets } = cases[indices[0] ?? 0] as Case;
    const targetsFile = join(folder, `targets-${file++}.json`);
    await writeFile(targetsFile, BSON.EJSON.stringify(hostTargets));
    const documents = indices.map((i) => BSON.EJSON.stringify((cases[i] as Case).document));
    const began = performance.now();
    const lines = await plan(
      [
        ...['--host', host, '--host-targets', targetsFile],
        ...(monitorRate === null ? [] : ['--rate-mbps', String(monitorRate)]),
      ],
      documents,
    );
    seconds += (performance.now() - began) / 1000;
    indices.forEach((i, at) => (answers[i] = lines[at] as Ours));
  }
  return { answers, seconds };
}

async function plan(flags: readonly string[], documents: readonly string[]): Promise<Ours[]> {
  const child = spawn(
    process.execPath,
    [
      ...[join(PACKAGE, 'bin/bootstrax'), '--config', join(PACKAGE, 'config/xenonnt.toml'), 'plan'],
      ...['--doc', '-', '--json', '--shedding', 'reference', ...flags],
    ],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', BOOTSTRAX_STATE_DIR: folder },
    },
  );
  let words = '';
  child.stderr.on('data', (piece: Buffer) => (words += piece.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(documents.join('\n'));
  const answers: Ours[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    answers.push(JSON.parse(line) as Ours);
  }
  expect(answers.length, words).toBe(documents.length);
  return answers;
}

/** Differences of plans that the documentation lists: each of them is met by one of the cases. */
const LISTED = [
  ...['any-host-name', 'chunk-settings-default', 'host-targets-broken', 'live-entry-anywhere'],
  ...['malformed-stops-nothing', 'odd-fields', 'set-aside', 'strict-documents', 'unusable-rate'],
];

const DECISIONS = [
  ...(['targets', 'postProcessing', 'cores', 'maxMessages', 'timeoutSeconds'] as const),
  'recordsCompressor',
] as const;

function isEqual(ours: Decided, theirs: Decided): boolean {
  return DECISIONS.every((name) => JSON.stringify(ours[name]) === JSON.stringify(theirs[name]));
}

/** By which listed difference two answers differ; null: by none that is known. */
function classify({ document, hostTargets }: Case, ours: Ours, theirs: Theirs): string | null {
  if ('malformed' in ours) {
    if ('crash' in theirs) return 'malformed-stops-nothing';
    return 'failed' in theirs ? 'set-aside' : 'strict-documents';
  }
  if (isOdd(document)) return 'odd-fields';
  if ('failed' in theirs) {
    if (theirs.failed.startsWith('Could not find (')) return 'chunk-settings-default';
    return theirs.failed.startsWith('Non-live data') ? 'live-entry-anywhere' : null;
  }
  if (!('crash' in theirs)) return null;
  if (/'strax_chunk_(length|overlap)'/.test(theirs.crash)) return 'chunk-settings-default';
  if (/invalid literal for int/.test(theirs.crash)) return 'any-host-name';
  if (hostTargets !== HOST_TARGETS && document['mode'] === 'ambe_linked') {
    return 'host-targets-broken';
  }
  return isRateKnown(document['rate']) ? null : 'unusable-rate';
}

function isOdd(document: Document): boolean {
  const parsed = parseRun(document);
  return parsed.kind === 'run' && parsed.run.oddities.length > 0;
}

function isRateKnown(rate: unknown): boolean {
  const { tpc } = (rate ?? {}) as { tpc?: { max?: unknown } };
  return typeof tpc?.max === 'number' && tpc.max > 0;
}

/** What strax would be told of a run: not part of the command's answer. */
function runConfigOf(document: Document): Record<string, unknown> {
  const parsed = parseRun(document);
  if (parsed.kind !== 'run') throw new Error(JSON.stringify(parsed.malformed));
  const made = makePlan(parsed.run, {
    ...{ attempt: 'a', runDocument: 'd', host: 'h', context: 'c:c', contextOptions: {} },
    ...{
      processor: 'threaded_mailbox',
      liveDataRoots: ['/live_data'],
      outputDirectory: '/o',
      stagingDirectory: '/o.staging',
    },
    ...{ rules: defaultRules, hostTable: 'new', shedding: 'reference', graph: null },
    ...{ culprits: [], memoryFailures: 0, hostTargets: null, rateMBps: null },
  });
  if (made.kind !== 'plan') throw new Error(JSON.stringify(made));
  return made.plan.runConfig;
}

it(
  `agrees with the reference on ${CASES} runs, and on strange ones`,
  { timeout: 600_000 },
  async () => {
    const cases = [...grid(CASES), ...strange()];
    const [theirs, { answers: ours, seconds }] = await Promise.all([
      askReference(cases),
      askCommand(cases),
    ]);
    const differences = new Differences();
    let alike = 0;
    cases.forEach((each, i) => {
      const mine = ours[i] as Ours;
      const yours = theirs[i] as Theirs;
      if ('targets' in mine && 'targets' in yours && isEqual(mine, yours)) {
        expect(runConfigOf(each.document)).toMatchObject(yours.runConfig ?? {});
        alike++;
        return;
      }
      const { host, monitorRate, document } = each;
      const what = { host, monitorRate, document, ours: mine, theirs: yours };
      differences.add(classify(each, mine, yours), what);
    });
    process.stdout.write(
      `plan: ${cases.length} documents in ${seconds.toFixed(1)} s, ${alike} decided alike; ` +
        `listed differences: ${JSON.stringify(Object.fromEntries(differences.counts))}\n`,
    );
    expect(differences.unlisted.slice(0, 5)).toEqual([]);
    expect(alike).toBeGreaterThanOrEqual(CASES);
    expect([...differences.counts.keys()].sort()).toEqual([...LISTED].sort());
  },
);
