/**
 * This state against an earlier release, on the same machine and the same live data: a manager of each
 * in a laboratory of its own takes the same finished run, in turn. Pick-up (document inserted to the
 * claim), document to `done`, and processor time of manager, worker and child: the ratios pair by pair.
 *
 * Arguments: --pairs N, --against VERSION, --seconds S and --rate HZ of the run, --targets A,B.
 */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Lab, type ManagerProcess, until } from '../tests/support/lab.ts';
import { processesOf } from '../tests/support/processes.ts';
import { resourcesOfAll, smallMachine } from '../tests/support/small-machine.ts';
import { finishedRun } from './live-run.ts';
import { cpuSecondsWithEnded } from './process-use.ts';
import { inTurn, printRatios, type State, withStates } from './states.ts';

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
const CONFIG = smallMachine(resourcesOfAll({ cores: 1, maxMessages: 4, timeoutSeconds: 600 }), {
  limits: { renewSeconds: undefined },
  targets: { default: TARGETS, postProcessing: ['raw_records'] },
});

/** As the DAQ lists it. */
const LIVE = { type: 'live', host: 'daq' };

/** Interval at which the document is read: it is done within a second. */
const READ_MS = 5;
const FIGURES = {
  pickUpMs: 'document to claim, ms',
  seconds: 'document to done, s',
  cpuSeconds: 'processor time, s',
};
type Figures = Record<keyof typeof FIGURES, number>;

/** A manager, with a database, live data and output of its own. */
class Side {
  private constructor(
    readonly lab: Lab,
    readonly manager: ManagerProcess,
  ) {}

  static async begin({ name, release }: State): Promise<Side> {
    const lab = await Lab.start({ warmPython: false });
    const manager = await lab.manager({
      host: HOST,
      context: 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt',
      config: CONFIG,
      ...(release === undefined ? {} : { release }),
    });
    console.error(`warming up: ${name} ...`);
    await manager.event('worker.ready', { warm: true });
    return new Side(lab, manager);
  }

  async process(document: Record<string, unknown>, number: number): Promise<Figures> {
    const { lab, manager } = this;
    const live = join(lab.live, String(number).padStart(6, '0'));
    await cp(join(lab.live, '000001'), live, { recursive: true });
    const cpuBefore = this.#cpuSeconds();
    const begin = performance.now();
    const insertedMs = Date.now();
    await lab.insertRuns({ ...document, data: [{ ...LIVE, location: lab.live }], number });
    const isDone = async () => {
      const run = await lab.runs.findOne({ number }, { projection: { bootstrax: 1 } });
      if (run?.bootstrax.state === 'failed') {
        throw new Error(
          `run ${number} failed: ${JSON.stringify(run.bootstrax)}\n${manager.story()}`,
        );
      }
      return run?.bootstrax.state === 'done';
    };
    await until(`run ${number} to be done`, isDone, undefined, READ_MS);
    const seconds = (performance.now() - begin) / 1000;
    const claimed = await manager.event('run.claimed', { run: number });
    const pickUpMs = Date.parse(String(claimed['time'])) - insertedMs;
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

await withStates(VERSION, async (states) => {
  const sides: Side[] = [];
  try {
    for (const state of states) sides.push(await Side.begin(state));
    const [now, before] = sides as [Side, Side];
    const { document } = await finishedRun(now.lab, 1, RUN);
    await cp(join(now.lab.live, '000001'), join(before.lab.live, '000001'), { recursive: true });
    for (const side of sides) await side.process(document, 2);
    const pairs: Figures[][] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const found = new Map<Side, Figures>();
      for (const side of inTurn(sides, pair)) {
        found.set(side, await side.process(document, 10 + pair));
      }
      const figures = [found.get(now)!, found.get(before)!];
      pairs.push(figures);
      const [seconds, secondsBefore] = figures.map((each) => each.seconds.toFixed(2));
      console.error(`pair ${pair + 1}: ${seconds} s, ${VERSION}: ${secondsBefore} s`);
    }
    const title = `${TARGETS.join(', ')} of a run of ${RUN[1]} s`;
    console.log(JSON.stringify(printRatios(title, VERSION, FIGURES, pairs)));
  } finally {
    for (const side of sides) await side.lab.end();
  }
});
