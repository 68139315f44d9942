import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerProcess, PACKAGE, PYTHON } from '../../support/lab.ts';
import { resourcesOfAll, smallMachine } from '../../support/small-machine.ts';
import { IS_NIGHTLY } from '../../support/tier.ts';

const run = promisify(execFile);
const CONTEXT = 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt';
const TARGETS = ['peak_basics', 'online_peak_monitor', 'events_mv', 'online_monitor_mv'];
/** Straxen compiles for half a minute in each cold process, and more on a busy machine. */
const LIMIT_MS = 600_000;
const PATIENT = { cores: 1, maxMessages: 4, timeoutSeconds: 600 };

interface Comparison {
  rows: Record<string, number>;
  areas: Record<string, number>;
  differences: string[];
  loaded: Record<string, number>;
}

let lab: Lab;
let manager: ManagerProcess;
let calibration: string;

beforeAll(async () => {
  lab = await Lab.start();
  calibration = join(lab.root, 'calibration');
  await cp(join(PACKAGE, 'worker/bootstrax_worker/contexts/calibration'), calibration, {
    recursive: true,
  });
  manager = await lab.manager({
    context: CONTEXT,
    config: smallMachine(resourcesOfAll(PATIENT), {
      worker: { contextOptions: { calibration } },
      targets: { default: TARGETS, postProcessing: ['raw_records'] },
    }),
  });
  await manager.event('worker.ready', { warm: true }, LIMIT_MS / 1000);
}, LIMIT_MS);
afterAll(() => lab.end());

const support = (name: string) => join(PACKAGE, 'tests/support', name);
const env = { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') };

/** Processes a run through the manager; answers the file with its plan. */
async function takeRun(): Promise<string> {
  const [number] = await lab.takeRuns([
    ...['--seconds', '6', '--speed', '0', '--rate', '20', '--detectors', 'tpc,muon_veto'],
  ]);
  const done = await lab.reached(number!, ['done'], LIMIT_MS / 1000);
  expect(done.bootstrax.n_failures ?? 0).toBe(0);
  const [attempt] = await lab.attempts.find({ run: number! }).toArray();
  const planFile = join(lab.root, `plan-${number}.json`);
  await writeFile(planFile, JSON.stringify(attempt!.plan));
  return planFile;
}

/** The same plan by a cold plain `st.make`; answers its output folder. */
async function makePlainly(planFile: string): Promise<string> {
  const plain = join(lab.root, 'plain');
  await mkdir(plain, { recursive: true });
  await run(PYTHON, [support('plain_make.py'), 'cold', planFile, plain], { env });
  return plain;
}

/** For each plan: what the manager has stored, compared with what is in the folder. */
async function compare(pairs: readonly { planFile: string; folder: string }[]) {
  const asked = run(PYTHON, [support('compare_data.py')], { env });
  asked.child.stdin!.end(
    pairs.map(({ planFile, folder }) => `${planFile} ${lab.output} ${folder}\n`).join(''),
  );
  const { stdout } = await asked;
  const answers = stdout.split('\n').filter((line) => line.startsWith('{'));
  return answers.map((line) => JSON.parse(line) as Comparison);
}

test(
  'the data of a run is that of a cold st.make, although the calibration files have changed since the worker was warmed up',
  async () => {
    const before = await takeRun();
    // Before the change it can only differ where it does so afterwards as well: only the nightly tier makes sure.
    const plainBefore = IS_NIGHTLY ? await makePlainly(before) : lab.output;

    const gainsFile = join(calibration, 'gains_tpc.json');
    const gains = JSON.parse(await readFile(gainsFile, 'utf8')) as number[];
    await writeFile(gainsFile, JSON.stringify(gains.map((gain) => gain * 2)));
    const after = await takeRun();
    const [ofBefore, ofAfter] = await compare([
      { planFile: before, folder: plainBefore },
      { planFile: after, folder: await makePlainly(after) },
    ]);
    for (const { differences, loaded, rows } of [ofBefore!, ofAfter!]) {
      expect(differences).toEqual([]);
      for (const target of TARGETS) expect(loaded[target], target).toBeGreaterThan(0);
      expect(rows['raw_records']).toBeGreaterThan(0);
    }
    // Or else the calibration files would not matter.
    const areaPerPeak = ({ rows, areas }: Comparison) =>
      areas['peak_basics']! / rows['peak_basics']!;
    expect(areaPerPeak(ofAfter!)).not.toBeCloseTo(areaPerPeak(ofBefore!), 0);
  },
  LIMIT_MS,
);
