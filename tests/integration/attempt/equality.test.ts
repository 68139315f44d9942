import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, PACKAGE, PYTHON, type ManagerProcess } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

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
    config: smallMachine({
      resources: {
        tables: {
          new: [
            { rateMBps: 0, ...PATIENT },
            { rateMBps: 550, ...PATIENT },
          ],
        },
        fallback: PATIENT,
      },
      worker: { contextOptions: { calibration } },
      targets: { default: TARGETS, postProcessing: ['raw_records'] },
    }),
  });
  await manager.event('worker.ready', { warm: true }, LIMIT_MS / 1000);
}, LIMIT_MS);
afterAll(() => lab.end());

/** A run through the manager, and the same plan by a cold plain `st.make`, compared. */
async function takeAndCompare(): Promise<Comparison> {
  const [number] = await lab.takeRuns([
    ...['--seconds', '6', '--speed', '0', '--rate', '20', '--detectors', 'tpc,muon_veto'],
  ]);
  const done = await lab.reached(number!, ['done'], LIMIT_MS / 1000);
  expect(done.bootstrax.n_failures ?? 0).toBe(0);
  const [attempt] = await lab.attempts.find({ run: number! }).toArray();
  const planFile = join(lab.root, `plan-${number}.json`);
  await writeFile(planFile, JSON.stringify(attempt!.plan));
  const plain = join(lab.root, 'plain');
  await mkdir(plain, { recursive: true });
  const env = { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') };
  const support = join(PACKAGE, 'tests/support');
  await run(PYTHON, [join(support, 'plain_make.py'), 'cold', planFile, plain], { env });
  const { stdout } = await run(
    PYTHON,
    [join(support, 'compare_data.py'), planFile, lab.output, plain],
    { env },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Comparison;
}

test(
  'the data of a run is that of a cold st.make, also after the calibration files have changed',
  async () => {
    const before = await takeAndCompare();
    expect(before.differences).toEqual([]);
    for (const target of TARGETS) expect(before.loaded[target], target).toBeGreaterThan(0);
    expect(before.rows['raw_records']).toBeGreaterThan(0);

    const gainsFile = join(calibration, 'gains_tpc.json');
    const gains = JSON.parse(await readFile(gainsFile, 'utf8')) as number[];
    await writeFile(gainsFile, JSON.stringify(gains.map((gain) => gain * 2)));
    const after = await takeAndCompare();
    expect(after.differences).toEqual([]);
    const areaPerPeak = ({ rows, areas }: Comparison) =>
      areas['peak_basics']! / rows['peak_basics']!;
    expect(areaPerPeak(after)).not.toBeCloseTo(areaPerPeak(before), 0);
  },
  LIMIT_MS,
);
