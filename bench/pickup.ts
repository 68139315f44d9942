/**
 * From inserting a run document to (a) `considering` and (b) the child having read the first chunk.
 * (a) is seen by a change stream of another process than the manager, so its delivery is part of the
 * figure; with the stream off for the manager the observer still uses one. (b) is the moment the
 * line about the first chunk stands in the child's progress file.
 *
 * Arguments: --runs N; --against VERSION: that release takes each run after or before this state, in a
 * laboratory of its own; and a part of a scenario's name to run only those.
 */
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Lab, until } from '../tests/support/lab.ts';
import { quantile, report } from './figures.ts';
import { finishedRun, type LiveRun } from './live-run.ts';
import { inTurn, printRatios, type State, withStates } from './states.ts';

interface Scenario {
  name: string;
  managers: number;
  oldRuns: number;
  changeStream: boolean;
}

const SCENARIOS: Scenario[] = [
  { name: 'idle database, change stream', managers: 1, oldRuns: 0, changeStream: true },
  { name: '20,000 old runs, six managers', managers: 6, oldRuns: 20_000, changeStream: true },
  { name: 'change stream off', managers: 1, oldRuns: 0, changeStream: false },
];
const OLD_RUN_BYTES = 60_000;
/** Between two reads of a file. */
const READ_MS = 2;
const TINY_RUN = ['--seconds', '2', '--rate', '5', '--chunk-seconds', '1'];

const FIGURES = {
  consideringMs: 'document to `considering`, ms',
  firstChunkMs: 'document to the first chunk, ms',
};
type Figures = Record<keyof typeof FIGURES, number>;

const args = process.argv.slice(2);
/** The value of an option, which is then no part of a scenario's name. */
const option = (name: string): string | null => {
  const at = args.indexOf(name);
  return at < 0 ? null : (args.splice(at, 2)[1] ?? null);
};
const RUNS = Number(option('--runs') ?? 200);
const AGAINST = option('--against');
const only = args[0] ?? '';

const rows: (string | number)[][] = [];
const figures: Record<string, unknown> = {};
await withStates(AGAINST, async (states) => {
  for (const scenario of SCENARIOS.filter(({ name }) => name.includes(only))) {
    const rounds = await measure(scenario, states);
    for (const [side, { name }] of states.entries()) {
      tell(
        AGAINST === null ? scenario.name : `${scenario.name}, ${name}`,
        rounds.map((round) => round[side]!),
      );
    }
    if (AGAINST !== null) {
      const name = `${scenario.name}, against ${AGAINST}`;
      figures[name] = printRatios(scenario.name, AGAINST, FIGURES, rounds);
    }
  }
});
report(
  'From inserting a run document, ms (the reference: considering median 4900, worst 9600)',
  ['scenario', 'runs', '(a) p50', 'p99', 'max', '(b) p50', 'p99', 'max'],
  rows,
  figures,
);

function tell(name: string, measured: readonly Figures[]): void {
  const considering = measured.map(({ consideringMs }) => consideringMs);
  const firstChunk = measured.map(({ firstChunkMs }) => firstChunkMs);
  rows.push([
    ...[name, measured.length],
    ...[quantile(considering, 0.5), quantile(considering, 0.99), Math.max(...considering)],
    ...[quantile(firstChunk, 0.5), quantile(firstChunk, 0.99), Math.max(...firstChunk)],
  ]);
  figures[name] = {
    runs: measured.length,
    considering_p50_ms: quantile(considering, 0.5),
    considering_p99_ms: quantile(considering, 0.99),
    first_chunk_p50_ms: quantile(firstChunk, 0.5),
    first_chunk_p99_ms: quantile(firstChunk, 0.99),
  };
}

/** Of each run what each side needed for it. */
async function measure(scenario: Scenario, states: readonly State[]): Promise<Figures[][]> {
  const sides: Side[] = [];
  try {
    for (const state of states) sides.push(await begin(scenario, state));
    const rounds: Figures[][] = [];
    // The first runs warm the manager's code; they are not counted.
    for (let i = -5; i < RUNS; i++) {
      const found = new Map<Side, Figures>();
      for (const side of inTurn(sides, i + 5)) {
        found.set(side, await measureOne(side.lab, side.template, 100_000 + i));
      }
      if (i >= 0) rounds.push(sides.map((side) => found.get(side)!));
      if (i % 50 === 49) console.error(`${scenario.name}: ${i + 1} of ${RUNS} runs`);
    }
    return rounds;
  } finally {
    for (const { lab } of sides) await lab.end();
  }
}

/** Managers of one state, with a database, live data and output of their own. */
interface Side {
  lab: Lab;
  template: LiveRun;
}

async function begin(scenario: Scenario, { release }: State): Promise<Side> {
  const lab = await Lab.start({ warmPython: false });
  const template = await finishedRun(lab, 1, TINY_RUN);
  if (scenario.oldRuns > 0) await insertOldRuns(lab, scenario.oldRuns);
  const hosts = Array.from({ length: scenario.managers }, (_, i) => `bench${i}.test.local`);
  const managers = await Promise.all(
    hosts.map(async (host) => {
      const output = join(lab.root, `out-${host}`);
      await mkdir(output);
      return lab.manager({
        host,
        env: {
          BOOTSTRAX_OUTPUT: output,
          BOOTSTRAX_CHANGE_STREAM: String(scenario.changeStream),
        },
        ...(release === undefined ? {} : { release }),
      });
    }),
  );
  for (const manager of managers) await manager.event('worker.ready');
  return { lab, template };
}

async function measureOne(lab: Lab, template: LiveRun, number: number): Promise<Figures> {
  const runId = String(number).padStart(6, '0');
  await cp(join(lab.live, '000001'), join(lab.live, runId), { recursive: true });
  const document = { ...template.document, number };
  const stream = lab.runs.watch(
    [{ $match: { operationType: 'update', 'updateDescription.updatedFields': { $exists: true } } }],
    { maxAwaitTimeMS: 1000 },
  );
  let consideringMs: number | null = null;
  const watchedFrom = performance.now();
  const seen = (async () => {
    for await (const event of stream) {
      if (JSON.stringify(event).includes('considering')) {
        consideringMs = performance.now() - watchedFrom;
        return;
      }
    }
  })();
  // At any moment between two polls, and after the observer's stream has been opened.
  await new Promise((resolve) => setTimeout(resolve, 30 + 1000 * Math.random()));
  const inserted = performance.now();
  const offset = inserted - watchedFrom;
  await lab.insertRuns(document);
  await seen;
  const directory = await until(`the attempt at run ${number}`, async () => {
    const run = await lab.runs.findOne({ number }, { projection: { bootstrax: 1 } });
    const { attempt, last_attempt: last, host } = run?.bootstrax ?? {};
    const id = attempt ?? last;
    return id === undefined || host === undefined ? null : join(lab.stateDir(host), 'attempts', id);
  });
  const firstChunkMs = await firstChunkOf(directory, inserted);
  await stream.close();
  await until(`run ${number} to be done`, async () => {
    const run = await lab.runs.findOne({ number }, { projection: { 'bootstrax.state': 1 } });
    return run?.bootstrax.state === 'done';
  });
  await rm(join(lab.live, runId), { recursive: true });
  return { consideringMs: (consideringMs ?? Number.NaN) - offset, firstChunkMs };
}

/** When the child's line about its first chunk is there, ms after `inserted`. */
function firstChunkOf(directory: string, inserted: number): Promise<number> {
  const look = async () => {
    const text = await readFile(join(directory, 'progress.ndjson'), 'utf8').catch(() => '');
    return /"chunks": ?[1-9]/.test(text) ? performance.now() - inserted : null;
  };
  return until(`the first chunk in ${directory}`, look, undefined, READ_MS);
}

async function insertOldRuns(lab: Lab, count: number): Promise<void> {
  const padding = 'x'.repeat(OLD_RUN_BYTES);
  const batch = 200;
  for (let first = 0; first < count; first += batch) {
    await lab.insertRuns(
      ...Array.from({ length: batch }, (_, i) => ({
        number: 10 + first + i,
        mode: 'tpc_bkg',
        detectors: ['tpc'],
        start: new Date(1_600_000_000_000 + (first + i) * 3_600_000),
        end: new Date(1_600_003_000_000 + (first + i) * 3_600_000),
        bootstrax: { state: 'done', host: 'old.test.local', time: new Date(1_600_003_000_000) },
        status: 'transferred',
        data: [],
        padding,
      })),
    );
    if ((first + batch) % 5000 === 0) console.error(`${first + batch} old runs inserted`);
  }
}
