import { expect, it } from 'vitest';

import { freePlaces } from '../../../src/executors/free-places.pure.ts';
import { Heartbeat, thinking } from '../../../src/host/heartbeat.ts';
import type { HostHealth } from '../../../src/host/host-health.ts';
import { type Clock, systemClock } from '../../../src/infra/clock/clock.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { StoreError } from '../../../src/infra/mongo/store-error.ts';
import type { Environment } from '../../../src/ports/environment.ts';
import { LeftRuns } from '../../../src/run/refused-runs.ts';
import { HandTasks } from '../../support/hand-tasks.ts';
import { holderOf } from '../../support/holder.ts';

const executorWith = (slots: number) => ({
  ...{ describe: () => 'warm', startsAtOnce: () => true, versions: () => ({}) },
  places: (taken: number) => freePlaces(slots, taken),
});
const MACHINE = {
  meterLoad: () => () => ({ cpuPercent: 1, memoryPercent: 2, swapPercent: 3 }),
  memoryCapacity: () => ({ totalBytes: 100e9, availableBytes: 50e9 }),
};

/** A database whose answers the test gives when it likes. */
class Stage {
  readonly signs: string[] = [];
  readonly statuses: string[] = [];
  /** At which seconds a heartbeat was kept for curves. */
  readonly kept: number[] = [];
  readonly extras: Record<string, unknown>[] = [];
  readonly #answers: (() => void)[] = [];
  seconds = 0;
  health: HostHealth | null = null;
  readonly tasks = new HandTasks();
  readonly heartbeat: Heartbeat;

  readonly left: LeftRuns;

  constructor() {
    const clock: Clock = {
      ...systemClock,
      monotonicSeconds: () => this.seconds,
      now: () => new Date(0),
    };
    this.left = new LeftRuns(clock);
    const pending = () => new Promise<void>((resolve) => this.#answers.push(resolve));
    const environment = {
      host: 'a.lab',
      role: 'primary',
      slots: 1,
      rules: defaultRules,
      clock,
      tasks: this.tasks,
      left: this.left,
      machine: MACHINE,
      executor: executorWith(1),
      // Never the same twice, which alone is no reason to write.
      figures: { told: () => ({ calls: Math.random() }) },
      nameLock: { holder: holderOf('h') },
      store: {
        serverTime: () => Promise.resolve(new Date(0)),
        ebMonitor: {
          write: ({ state }: { state: string }) => {
            this.signs.push(state);
            return pending();
          },
        },
        hostHistory: {
          write: () => {
            this.kept.push(this.seconds);
            return Promise.resolve();
          },
        },
        hosts: {
          write: ({ extras }: { extras: { thinking: string } }) => {
            this.extras.push(extras);
            this.statuses.push(extras.thinking);
            return pending();
          },
        },
      },
    } as unknown as Environment;
    this.heartbeat = new Heartbeat(
      environment,
      () => ({ health: this.health, runners: [] }),
      () => undefined,
    );
  }

  accept(ok: boolean): void {
    this.health = {
      accepting: ok ? { ok } : { ok, kind: 'disk', reason: 'the disk is full' },
      disk: null,
      liveDisk: null,
    };
  }

  async answer(): Promise<void> {
    for (const each of this.#answers.splice(0)) each();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
}

it('a database that does not answer holds up no heartbeat', () => {
  const stage = new Stage();
  stage.heartbeat.start();
  for (let i = 0; i < 5; i++) stage.tasks.ring();
  expect(stage.signs).toHaveLength(6);
  // The other document is written once at a time.
  expect(stage.statuses).toEqual(['checking this machine']);
});

it('after an outage only the last state is written, not all that there have been', async () => {
  const stage = new Stage();
  stage.heartbeat.start();
  for (const ok of [true, false, true, false]) {
    stage.accept(ok);
    stage.heartbeat.changed();
  }
  await stage.answer();
  expect(stage.statuses).toEqual(['checking this machine', 'taking no new run: the disk is full']);
  await stage.answer();
  expect(stage.statuses).toHaveLength(2);
});

it('what has not changed is written again within a minute, and not before', async () => {
  const stage = new Stage();
  stage.accept(true);
  stage.heartbeat.start();
  await stage.answer();
  stage.seconds = 50;
  stage.tasks.ring();
  await stage.answer();
  expect(stage.statuses).toEqual(['waiting for runs']);
  stage.seconds = 59;
  stage.tasks.ring();
  await stage.answer();
  expect(stage.statuses).toEqual(['waiting for runs', 'waiting for runs']);
  expect(stage.signs).toEqual(['idle', 'idle', 'idle']);
});

it('a change of state is told at once, another look at the same is not', async () => {
  const stage = new Stage();
  stage.accept(true);
  stage.heartbeat.start();
  stage.heartbeat.changed();
  stage.accept(false);
  stage.heartbeat.changed();
  stage.heartbeat.changed();
  await stage.answer();
  expect(stage.signs).toEqual(['idle', 'disk full']);
});

it('how an attempt comes further is told once for all its steps, a moment later', async () => {
  const stage = new Stage();
  stage.heartbeat.start();
  await stage.answer();
  stage.accept(true);
  for (let step = 0; step < 3; step++) stage.heartbeat.advanced();
  await stage.answer();
  expect(stage.statuses).toEqual(['checking this machine']);
  stage.tasks.ring();
  await stage.answer();
  expect(stage.statuses).toEqual(['checking this machine', 'waiting for runs']);
});

it('what is told at once tells also how an attempt has come further', async () => {
  const stage = new Stage();
  stage.heartbeat.start();
  await stage.answer();
  stage.accept(true);
  stage.heartbeat.advanced();
  stage.heartbeat.changed();
  await stage.answer();
  expect(stage.statuses).toEqual(['checking this machine', 'waiting for runs']);
  await stage.answer();
  // Only the heartbeat itself waits for its time.
  stage.tasks.ring();
  await stage.answer();
  expect(stage.signs).toEqual(['starting', 'idle', 'idle']);
});

it('one heartbeat in five minutes is kept for curves, once the machine has been looked at', async () => {
  const stage = new Stage();
  stage.heartbeat.start();
  await stage.answer();
  expect(stage.kept).toEqual([]);
  stage.accept(true);
  for (stage.seconds = 9; stage.seconds < 650; stage.seconds += 9) {
    stage.tasks.ring();
    await stage.answer();
  }
  expect(stage.kept).toEqual([9, 315, 621]);
});

/** As far as heartbeats look at it. */
const runner = (number: number, plan: object | null) => ({
  run: { number, runId: String(number).padStart(6, '0') },
  phase: 'running',
  progress: null,
  plan,
});
const PLAN = {
  targets: ['peaks'],
  cores: 3,
  maxMessages: 5,
  timeoutSeconds: 77,
  postProcessing: [],
};
const no = (kind: string) => ({ accepting: { ok: false, kind, reason: 'why' }, disk: null });
const YES = { accepting: { ok: true }, disk: null };

// Reference, section 9.4: `busy` needs run_id, cores and targets; any other state is a colour.
it.each([
  ['not looked yet', null, [], { state: 'starting' }],
  ['ready', YES, [], { state: 'idle' }],
  ['disk full', no('disk'), [], { state: 'disk full' }],
  ...['context', 'folder', 'memory', 'quarantine', 'drained'].map(
    (kind) => [kind, no(kind), [], { state: 'starting' }] as const,
  ),
  [
    'preparing',
    YES,
    [runner(7, null)],
    { state: 'busy', run_id: '000007', cores: 8, timeout: 1000, max_messages: 10 },
  ],
  [
    'at work',
    no('disk'),
    [runner(7, null), runner(8, PLAN)],
    { state: 'busy', run_id: '000008', cores: 3, timeout: 77, max_messages: 5, targets: ['peaks'] },
  ],
] as const)('%s: what the website shows', (_, health, runners, expected) => {
  const signs: Record<string, unknown>[] = [];
  const environment = {
    ...{ host: 'a.lab', slots: 2, rules: defaultRules, productionMode: true },
    clock: { monotonicSeconds: () => 0, now: () => new Date(0) },
    tasks: new HandTasks(),
    machine: MACHINE,
    executor: executorWith(2),
    figures: { told: () => ({}) },
    left: new LeftRuns(systemClock),
    nameLock: { holder: holderOf('h') },
    store: {
      ebMonitor: {
        write: (sign: Record<string, unknown>) => {
          signs.push(sign);
          return Promise.resolve();
        },
      },
      serverTime: () => Promise.resolve(new Date(0)),
      hostHistory: { write: () => Promise.resolve() },
      hosts: { write: () => Promise.resolve() },
    },
  } as unknown as Environment;
  const view = { health, runners } as unknown as ReturnType<
    ConstructorParameters<typeof Heartbeat>[1]
  >;
  new Heartbeat(
    environment,
    () => view,
    () => undefined,
  ).start();
  expect(signs).toHaveLength(1);
  expect(signs[0]).toMatchObject({ targets: defaultRules.targets.default, ...expected });
  expect('run_id' in signs[0]!).toBe(expected.state === 'busy');
});

it('says what a run waits for while the worker warms up, and that other runs are at work', () => {
  const runners = [{ ...runner(7, null), phase: 'waiting_for_worker' }, runner(8, PLAN)];
  const view = { health: YES, runners } as unknown as Parameters<typeof thinking>[0];
  expect(thinking(view, 2, { withProgress: false })).toBe(
    'run 7 waits for the worker to warm up; processing run 8',
  );
});

it('it tells since when it has had a free slot, and how much memory an attempt may use', async () => {
  const stage = new Stage();
  stage.heartbeat.start();
  await stage.answer();
  stage.accept(true);
  stage.seconds = 100;
  stage.heartbeat.changed();
  await stage.answer();
  stage.seconds = 160;
  stage.tasks.ring();
  await stage.answer();
  stage.accept(false);
  stage.heartbeat.changed();
  await stage.answer();
  expect(stage.extras.map(({ free_for_seconds: seconds }) => seconds)).toEqual([null, 0, 60, null]);
  expect(stage.extras[0]).toMatchObject({ memory_limit_bytes: 85e9 });
});

it('it tells of runs that it leaves alone, since the database refuses what it writes of them', async () => {
  const stage = new Stage();
  stage.heartbeat.start();
  await stage.answer();
  stage.left.leave('a'.repeat(24), 'run 7', new StoreError('unfit', 'the document is too large'));
  stage.tasks.ring();
  await stage.answer();
  expect(stage.extras.map(({ left_runs: left }) => left)).toEqual([
    [],
    [{ run: 'run 7', why: 'the document is too large' }],
  ]);
});
