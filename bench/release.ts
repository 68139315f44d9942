/**
 * This state against an earlier release, on the same machine and the same live data: a manager of each
 * in a laboratory of its own takes the same finished run, in turn. Pick-up (document inserted to the
 * claim), document to `done`, and processor time of manager, worker and child: the ratios pair by pair.
 *
 * Arguments: --pairs N, --against VERSION, --seconds S and --rate HZ of the run, --targets A,B.
 */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Lab, SMALL_MACHINE, until, type ManagerProcess } from '../tests/support/lab.ts';
import { processesOf } from '../tests/support/processes.ts';
import { Release, releaseMissing } from '../tests/support/release.ts';
import { median, report, upperLimitOfMedian } from './figures.ts';
import { finishedRun } from './live-run.ts';
import { cpuSecondsWithEnded } from './process-use.ts';

const args = process.argv.slice(2);
const option = (name: string, fallback: string): string => {
  const at = args.indexOf(name);
  return (at >= 0 ? args[at + 1] : undefined) ?? fallback;
};
const PAIRS = Number(option('--pairs', '20'));
const VERSION = option('--against', '0.1.1');
const RUN = ['--seconds', option('--seconds', '22'), '--rate', option('--rate', '5')];
const TARGETS = option('--targets', 'peak_basics').split(',');
const HOST = 'bench.test.local';
const CONFIG = `${SMALL_MACHINE.replace('renew_seconds = 1\n', '').replaceAll('timeout_seconds = 60', 'timeout_seconds = 600')}
[targets]
default = ${JSON.stringify(TARGETS)}
post_processing = ["raw_records"]
`;

/** As the DAQ lists it. */
const LIVE = { type: 'live', host: 'daq' };

interface Figures {
  pickUpMs: number;
  seconds: number;
  cpuSeconds: number;
}

/** A manager, with a database, live data and output of its own. */
class Side {
  private constructor(
    readonly lab: Lab,
    readonly manager: ManagerProcess,
  ) {}

  static async begin(release: string | null): Promise<Side> {
    const lab = await Lab.start({ warmPython: false });
    const manager = await lab.manager({
      host: HOST,
      context: 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt',
      config: CONFIG,
      ...(release === null ? {} : { release }),
    });
    console.error(`warming up ${release === null ? 'this state' : VERSION} ...`);
    await manager.event('worker.ready', { warm: true });
    return new Side(lab, manager);
  }

  async process(document: Record<string, unknown>, number: number): Promise<Figures> {
    const { lab, manager } = this;
    const live = join(lab.live, String(number).padStart(6, '0'));
    await cp(join(lab.live, '000001'), live, { recursive: true });
    const cpuBefore = this.#cpuSeconds();
    const begin = performance.now();
    await lab.insertRuns({ ...document, data: [{ ...LIVE, location: lab.live }], number });
    await manager.event('run.claimed', { run: number });
    const pickUpMs = performance.now() - begin;
    await until(`run ${number} to be done`, async () => {
      const run = await lab.runs.findOne({ number });
      if (run?.bootstrax.state === 'failed') {
        throw new Error(
          `run ${number} failed: ${JSON.stringify(run.bootstrax)}\n${manager.story()}`,
        );
      }
      return run?.bootstrax.state === 'done';
    });
    const seconds = (performance.now() - begin) / 1000;
    // Until the child has ended its time is not in that of the worker.
    await manager.event('attempt.ended', { run: number });
    const cpuSeconds = this.#cpuSeconds() - cpuBefore;
    await rm(live, { recursive: true });
    return { pickUpMs, seconds, cpuSeconds };
  }

  #cpuSeconds(): number {
    const found = processesOf(this.lab.stateDir(HOST));
    return found.reduce((sum, { pid }) => sum + cpuSecondsWithEnded(pid), 0);
  }
}

const missing = releaseMissing(VERSION);
if (missing !== null) throw new Error(missing.why);
const release = await Release.build(VERSION);
const sides: Side[] = [];
try {
  sides.push(await Side.begin(null), await Side.begin(release.path));
  const [now, before] = sides as [Side, Side];
  const { document } = await finishedRun(now.lab, 1, RUN);
  await cp(join(now.lab.live, '000001'), join(before.lab.live, '000001'), { recursive: true });
  for (const side of sides) await side.process(document, 2);
  const pairs: { now: Figures; before: Figures }[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const found = new Map<Side, Figures>();
    for (const side of pair % 2 === 0 ? [now, before] : [before, now]) {
      found.set(side, await side.process(document, 10 + pair));
    }
    pairs.push({ now: found.get(now)!, before: found.get(before)! });
    const { seconds } = found.get(now)!;
    console.error(
      `pair ${pair + 1}: ${seconds.toFixed(2)} s, ${VERSION}: ${found.get(before)!.seconds.toFixed(2)} s`,
    );
  }
  tell(pairs);
} finally {
  for (const side of sides) await side.lab.end();
  await release.remove();
}

function tell(pairs: readonly { now: Figures; before: Figures }[]): void {
  const figures = (
    [
      ['pickUpMs', 'document to claim, ms'],
      ['seconds', 'document to done, s'],
      ['cpuSeconds', 'processor time, s'],
    ] as const
  ).map(([name, label]) => {
    const ratios = pairs.map(({ now, before }) => now[name] / before[name]);
    return {
      ...{ name, label },
      now: median(pairs.map(({ now }) => now[name])),
      before: median(pairs.map(({ before }) => before[name])),
      ratio: median(ratios),
      upper: upperLimitOfMedian(ratios),
    };
  });
  report(
    `Against ${VERSION}, ${pairs.length} pairs: ${TARGETS.join(', ')} of a run of ${RUN[1]} s`,
    ['', 'now', VERSION, 'ratio', 'upper 95 % limit of the median ratio'],
    figures.map(({ label, now, before, ratio, upper }) => [label, now, before, ratio, upper]),
    Object.fromEntries(figures.map(({ name, label, ...rest }) => [name, rest])),
  );
}
