import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Lab } from '../../support/lab.ts';
import { Recoveries, type Recovery } from './recoveries.ts';
import { type FaultKind, schedule } from './schedule.ts';
import { Database, Host } from './stage.ts';
import { strike } from './strikes.ts';
import { judge, settled, type Verdict } from './verdict.ts';

export interface ChaosOptions {
  seed: number;
  /** How long runs are taken and faults happen, seconds; then everything is waited for. */
  seconds: number;
  /** What happens, a line each. */
  say: (line: string) => void;
  /** Receives the log lines of all managers if something is wrong. */
  logFile: string;
}

export interface ChaosReport extends Verdict {
  runs: number;
  struck: { kind: FaultKind; missed: boolean }[];
  recoveries: Recovery[];
  seconds: number;
}

const HOSTS = ['alpha.test.local', 'beta.test.local'];
/** Short runs of two detectors at the same time, processed while they are taken. */
const RUNS = [
  ...['--runs', '3', '--seconds', '6', '--speed', '2', '--rate', '10', '--gap-seconds', '0.5'],
  ...['--chunk-seconds', '1', '--overlap-seconds', '0.2'],
  ...['--detectors', 'tpc', '--detectors', 'neutron_veto'],
];
/** What fails because its child or guardian was killed is the run's failure. */
const MAY_COUNT: readonly FaultKind[] = ['child killed', 'guardian killed'];
const NEWS_SECONDS = 10;

/**
 * Takes runs, has two hosts process them, and meanwhile kills and stops whatever there is, by a
 * schedule that follows from the seed. Then the faults end, and everything has to come right.
 */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, seconds } = options;
  const lab = await Lab.start({ warmPython: false });
  const begin = performance.now();
  const elapsed = () => (performance.now() - begin) / 1000;
  const say = (line: string) => options.say(`${elapsed().toFixed(1).padStart(7)} s  ${line}`);
  const hosts = HOSTS.map((name) => new Host(lab, name));
  const database = new Database(lab);
  const recoveries = new Recoveries(lab);
  const struck: ChaosReport['struck'] = [];
  const mayCount = new Set<string>();
  const over: Promise<void>[] = [];
  try {
    for (const host of hosts) await host.start();
    const numbers: number[] = [];
    const taking = (async () => {
      for (let series = 0; elapsed() < seconds; series++) {
        numbers.push(...(await lab.takeRuns([...RUNS, '--seed', String(1 + 10 * series)])));
      }
    })();
    const faults = (async () => {
      for (const planned of schedule(seed, seconds)) {
        await delay(Math.max(0, (planned.atSeconds - elapsed()) * 1000));
        if (elapsed() > seconds) return;
        const hit = await strike({ hosts, database }, planned);
        struck.push({ kind: planned.kind, missed: hit === null });
        if (hit === null) continue;
        const runs = hit.attempts.map(({ run }) => run).join(', ');
        say(`${hit.kind} ${hit.victim}${runs === '' ? '' : ` (runs ${runs})`}`);
        over.push(hit.over);
        // A failure surfaces below, when all are awaited.
        hit.over.catch(() => undefined);
        recoveries.add(hit);
        if (MAY_COUNT.includes(hit.kind)) {
          for (const { attempt } of hit.attempts) mayCount.add(attempt);
        }
      }
    })();
    const news = setInterval(() => void tell(), NEWS_SECONDS * 1000);
    const tell = async () => {
      const done = await lab.runs
        .countDocuments({ 'bootstrax.state': 'done' })
        .catch(() => 'database away:');
      say(`${done} runs done`);
    };
    try {
      await Promise.all([taking, faults]);
      await Promise.all(over);
      for (const host of hosts) if (host.manager === null) await host.start();
      say(`the faults have ended; ${numbers.length} runs were taken`);
      const stuck = await settled(lab, numbers);
      say(stuck.length === 0 ? 'every run is settled' : `${stuck.length} runs are stuck`);
      const verdict = await judge(lab, hosts, database, { numbers, mayCount });
      await recoveries.end();
      const problems = [...stuck, ...verdict.problems];
      if (problems.length > 0) await keepStory(options.logFile, hosts);
      return {
        ...verdict,
        problems,
        runs: numbers.length,
        struck,
        recoveries: recoveries.done,
        seconds: elapsed(),
      };
    } finally {
      clearInterval(news);
    }
  } catch (error) {
    await keepStory(options.logFile, hosts);
    throw error;
  } finally {
    await recoveries.end();
    await lab.end();
  }
}

async function keepStory(logFile: string, hosts: readonly Host[]): Promise<void> {
  const managers = hosts.flatMap((host) =>
    host.managers.map(
      (manager) => `--- ${host.name}, process ${manager.child.pid}\n${manager.story()}`,
    ),
  );
  await mkdir(dirname(logFile), { recursive: true });
  await writeFile(logFile, managers.join('\n'));
}
