/**
 * What a death costs. First: `kill -9` of the manager in the middle of a run, and another one started
 * at once, over and over during one run with the real straxen plugins: from the kill to the moment
 * the run is supervised again (its child's files are followed and its time in the database is
 * renewed), and what the child noticed of it. Then: the manager is killed, a run is taken, and a
 * manager is started, over and over: from its start to the first chunk of that run, which the worker
 * of the manager before makes possible. Then: a whole host dies, with a lease of 10 s, until
 * another host has started the run anew.
 *
 * Arguments: --kills N, --restarts N, --lease SECONDS; 0 kills or restarts leave that part out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { defaultRules } from '../src/infra/config/rules.pure.ts';
import { signal } from '../src/infra/mongo/embedded/embedded-process.ts';
import { counted } from '../src/infra/values/counted.pure.ts';
import { LOOKS_PER_LEASE } from '../src/manager/housekeeping.ts';
import { Host } from '../tests/faults/chaos/stage.ts';
import { Lab, type ManagerProcess, type StoredRun, until } from '../tests/support/lab.ts';
import { smallMachine } from '../tests/support/small-machine.ts';
import { quantile, report } from './figures.ts';

const args = process.argv.slice(2);
const numberArgument = (name: string, otherwise: number) =>
  args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise;
const KILLS = numberArgument('--kills', 20);
const RESTARTS = numberArgument('--restarts', 20);
const LEASE_SECONDS = numberArgument('--lease', 10);
/** A manager lives at least this long between two kills. */
const BETWEEN_SECONDS = 2;
const LOOK_MS = 5;
const HOST = 'bench.test.local';
const CONTEXT = 'bootstrax_worker.contexts.local_xenonnt:local_xenonnt';
/** Leases and intervals as on a production machine. */
const PRODUCTION_LIMITS = smallMachine({
  limits: { renewSeconds: undefined },
  targets: { default: ['peak_basics'], postProcessing: ['raw_records'] },
});

const managerDeath = KILLS > 0 ? await killManagers() : null;
const nextRun = RESTARTS > 0 ? await restartManagers() : [];
const hostDeath = KILLS > 0 ? await killHost() : null;
const { limits, retry } = defaultRules;
// Seen for the first time at one look, stale at a later one; the run then waits in the queue.
const shortest = Math.min(limits.busyLeaseSeconds, limits.consideringLeaseSeconds);
const lookSeconds = shortest / LOOKS_PER_LEASE + limits.idlePollSeconds;
const bound =
  limits.busyLeaseSeconds + 2 * lookSeconds + retry.uncounted.firstSeconds + limits.idlePollSeconds;
report(
  'From a death to the run being supervised again, s (the reference: failed after 131, done again after 294)',
  ['', 'times', 'p50', 'p99', 'max', 'expected'],
  [
    ...(managerDeath === null
      ? []
      : [
          row('manager killed, from the kill', managerDeath.fromKill, 'p99 under 1'),
          row('  until its time is renewed in the database', managerDeath.renewed, ''),
          row('  from the start of the process', managerDeath.fromStart, ''),
          ['processing time lost (same child, one attempt)', KILLS, 0, 0, 0, '0'],
          [
            'longest silence of the child (it speaks once a second)',
            ...['', '', ''],
            managerDeath.silence,
            '',
          ],
        ]),
    ...(nextRun.length === 0
      ? []
      : [row('manager started, until the first chunk of the next run', nextRun, 'p99 under 1')]),
    ...(hostDeath === null
      ? []
      : [
          row(
            `host killed, lease ${LEASE_SECONDS} s: started on another`,
            [hostDeath],
            'the lease + looks',
          ),
          ['the same with the default lease, at most', '', '', '', bound, ''],
        ]),
  ],
  {
    ...(managerDeath === null
      ? {}
      : {
          kills: KILLS,
          supervised_again_p50_s: quantile(managerDeath.fromKill, 0.5),
          supervised_again_p99_s: quantile(managerDeath.fromKill, 0.99),
          from_start_p50_s: quantile(managerDeath.fromStart, 0.5),
          from_start_p99_s: quantile(managerDeath.fromStart, 0.99),
          renewed_p99_s: quantile(managerDeath.renewed, 0.99),
          processing_lost_s: 0,
          child_longest_silence_s: managerDeath.silence,
        }),
    ...(nextRun.length === 0
      ? {}
      : {
          restarts: RESTARTS,
          restart_to_next_first_chunk_p50_s: quantile(nextRun, 0.5),
          restart_to_next_first_chunk_p99_s: quantile(nextRun, 0.99),
        }),
    ...(hostDeath === null
      ? {}
      : {
          host_death_lease_s: LEASE_SECONDS,
          host_death_started_elsewhere_s: hostDeath,
          host_death_default_bound_s: bound,
        }),
  },
);

function row(what: string, seconds: readonly number[], expected: string): (string | number)[] {
  const max = Math.max(...seconds);
  return [what, seconds.length, quantile(seconds, 0.5), quantile(seconds, 0.99), max, expected];
}

async function killManagers() {
  const lab = await Lab.start({ warmPython: false });
  try {
    const start = () => lab.manager({ host: HOST, context: CONTEXT, config: PRODUCTION_LIMITS });
    let manager: ManagerProcess = await start();
    console.error('warming up ...');
    const { lines } = manager;
    await until('the worker', () => lines.some(({ event }) => event === 'worker.ready'), 300);
    const length = 20 + KILLS * (BETWEEN_SECONDS + 2);
    const taking = lab.takeRuns(['--seconds', String(length), '--speed', '1', '--rate', '2']);
    // What goes wrong meanwhile is told below, not that the simulator was ended for it.
    taking.catch(() => undefined);
    const started = await manager.event('attempt.started');
    const number = started['run'] as number;
    const directory = join(lab.stateDir(HOST), 'attempts', String(started['attempt']));
    await until('the first chunk', async () => (await progressOf(directory)).at(-1)?.chunks);
    const childBefore = await readFile(join(directory, 'started.json'), 'utf8');
    const fromKill: number[] = [];
    const fromStart: number[] = [];
    const renewed: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      // At any moment of the manager's day.
      await delay((BETWEEN_SECONDS + Math.random()) * 1000);
      const timeBefore = (await lab.run(number)).bootstrax.time?.getTime() ?? 0;
      const killedAt = performance.now();
      manager.child.kill('SIGKILL');
      const startedAt = performance.now();
      manager = await start();
      await manager.event('attempt.adopted', { run: number });
      fromKill.push((performance.now() - killedAt) / 1000);
      fromStart.push((performance.now() - startedAt) / 1000);
      await until('the heartbeat', async () => {
        const time = (await lab.run(number)).bootstrax.time?.getTime() ?? 0;
        return time > timeBefore;
      });
      renewed.push((performance.now() - killedAt) / 1000);
      console.error(`kill ${kill + 1} of ${KILLS}: ${fromKill[kill]!.toFixed(2)} s`);
    }
    await taking;
    const run = await lab.reached(number, ['done']);
    mustHaveCostNothing(run, await lab.attempts.countDocuments({ run: number }));
    if ((await readFile(join(directory, 'started.json'), 'utf8')) !== childBefore) {
      throw new Error('the child is another one');
    }
    const times = (await progressOf(directory)).map(({ t }) => t);
    const silence = Math.max(...times.map((t, i) => t - (times[i - 1] ?? 0)));
    return { fromKill, fromStart, renewed, silence };
  } finally {
    await lab.end();
  }
}

/** Seconds from the start of each manager to the first chunk of a run that waits for it. */
async function restartManagers(): Promise<number[]> {
  const lab = await Lab.start({ warmPython: false });
  try {
    const start = () => lab.manager({ host: HOST, context: CONTEXT, config: PRODUCTION_LIMITS });
    let manager = await start();
    console.error('warming up ...');
    const { lines } = manager;
    await until('the worker', () => lines.some(({ event }) => event === 'worker.ready'), 300);
    const seconds: number[] = [];
    for (let restart = 0; restart < RESTARTS; restart++) {
      await manager.kill();
      const [number] = await lab.takeRuns(['--seconds', '10', '--speed', '0', '--rate', '2']);
      const startedAt = performance.now();
      manager = await start();
      const { attempt } = await manager.event('attempt.started', { run: number! });
      const directory = join(lab.stateDir(HOST), 'attempts', String(attempt));
      for (;;) {
        if ((await progressOf(directory)).some(({ chunks }) => chunks > 0)) break;
        await delay(LOOK_MS);
      }
      seconds.push((performance.now() - startedAt) / 1000);
      console.error(`restart ${restart + 1} of ${RESTARTS}: ${seconds.at(-1)!.toFixed(2)} s`);
      await lab.reached(number!, ['done']);
      await manager.event('attempt.ended', { run: number! });
    }
    return seconds;
  } finally {
    await lab.end();
  }
}

function mustHaveCostNothing({ bootstrax }: StoredRun, attempts: number): void {
  if (attempts !== 1 || (bootstrax.n_failures ?? 0) > 0) {
    throw new Error(
      `processing was lost: ${counted(attempts, 'attempt')}, ${JSON.stringify(bootstrax)}`,
    );
  }
}

async function progressOf(directory: string): Promise<{ t: number; chunks: number }[]> {
  const text = await readFile(join(directory, 'progress.ndjson'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as { t: number; chunks: number });
}

/** Seconds from the death of everything on one host until another has started its run. */
async function killHost(): Promise<number> {
  const lab = await Lab.start({ warmPython: false });
  try {
    const leases = {
      BOOTSTRAX_LIMITS_BUSY_LEASE_SECONDS: String(LEASE_SECONDS),
      BOOTSTRAX_LIMITS_CONSIDERING_LEASE_SECONDS: String(LEASE_SECONDS),
    };
    const first = new Host(lab, 'first.test.local', leases);
    const second = new Host(lab, 'second.test.local', leases);
    const dying = await first.start();
    await dying.event('worker.ready');
    const taking = lab.takeRuns(['--seconds', '40', '--speed', '1', '--chunk-seconds', '2']);
    taking.catch(() => undefined);
    const { run } = await dying.event('attempt.started');
    const [attempt] = await until('the child', () => {
      const open = first.openAttempts();
      return open[0]?.child ? open : null;
    });
    const heir = await second.start();
    await heir.event('worker.ready');
    await delay(3000);
    const killedAt = performance.now();
    await first.endManager('SIGKILL');
    for (const server of first.forkServers()) signal(server, 'SIGKILL');
    for (const identity of [attempt!.guardian, attempt!.child]) signal(identity!, 'SIGKILL');
    await heir.event('attempt.started', { run });
    const seconds = (performance.now() - killedAt) / 1000;
    await second.endManager('SIGKILL');
    await taking;
    return seconds;
  } finally {
    await lab.end();
  }
}
