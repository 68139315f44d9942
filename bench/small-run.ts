/**
 * A finished 22-second run with the real straxen plugins to `peak_basics`: from inserting its run
 * document to `done`, against the same `st.make` in a cold Python process, alternating.
 *
 * Arguments: --pairs N.
 */
import { spawnSync } from 'node:child_process';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Lab, PACKAGE, PYTHON, until } from '../tests/support/lab.ts';
import { smallMachine } from '../tests/support/small-machine.ts';
import { median, report } from './figures.ts';
import { finishedRun } from './live-run.ts';

const args = process.argv.slice(2);
const pairsArgument = args.indexOf('--pairs');
const PAIRS = pairsArgument >= 0 ? Number(args[pairsArgument + 1]) : 5;
/** S1/S2 pairs per second: a quiet background run, so that what is compared is the way to the data. */
const RATE = 5;
const HOST = 'bench.test.local';

const lab = await Lab.start({ warmPython: false });
try {
  const { document } = await finishedRun(lab, 1, ['--seconds', '22', '--rate', String(RATE)]);
  const manager = await lab.manager({
    host: HOST,
    context: 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt',
    config: smallMachine({
      targets: { default: ['peak_basics'], postProcessing: ['raw_records'] },
    }),
  });
  console.error('warming up ...');
  await manager.event('worker.ready', { warm: true });
  const managed: number[] = [];
  const cold: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const number = 10 + pair;
    const runId = String(number).padStart(6, '0');
    await cp(join(lab.live, '000001'), join(lab.live, runId), { recursive: true });
    const begin = performance.now();
    await lab.insertRuns({ ...document, number });
    const attempt = await until(`run ${number} to be done`, async () => {
      const run = await lab.runs.findOne({ number });
      if (run?.bootstrax.state === 'failed') throw new Error(run.bootstrax.reason);
      return run?.bootstrax.state === 'done' ? run : null;
    });
    managed.push((performance.now() - begin) / 1000);
    if (attempt.data.length < 2) throw new Error('nothing was made');

    const planFile = join(lab.root, 'plan.json');
    await writeFile(planFile, JSON.stringify(await planOf(number)));
    const coldBegin = performance.now();
    const { status, stderr } = spawnSync(
      PYTHON,
      [
        join(PACKAGE, 'tests/support/plain_make.py'),
        'cold',
        planFile,
        join(lab.root, `cold-${pair}`),
      ],
      { env: { ...process.env, PYTHONPATH: join(PACKAGE, 'worker') }, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    cold.push((performance.now() - coldBegin) / 1000);
    await rm(join(lab.live, runId), { recursive: true });
    console.error(
      `pair ${pair + 1}: managed ${managed[pair]!.toFixed(2)} s, cold ${cold[pair]!.toFixed(1)} s`,
    );
  }
  const ratio = median(cold.map((seconds, i) => seconds / managed[i]!));
  report(
    'A finished 22-second run to peak_basics, s',
    ['', 'median', 'min', 'max'],
    [
      ['managed: document to done', median(managed), Math.min(...managed), Math.max(...managed)],
      ['cold process: st.make', median(cold), Math.min(...cold), Math.max(...cold)],
      ['times faster (pairs)', ratio, '', ''],
    ],
    { managed_s: median(managed), cold_s: median(cold), times_faster: ratio, pairs: PAIRS },
  );
} finally {
  await lab.end();
}

async function planOf(number: number): Promise<unknown> {
  const [attempt] = await lab.attempts.find({ run: number }).toArray();
  return attempt?.plan;
}
