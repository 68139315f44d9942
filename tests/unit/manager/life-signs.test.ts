import { expect, it } from 'vitest';

import { defaultRules } from '../../../src/domain/rules.ts';
import type { Environment } from '../../../src/manager/environment.ts';
import type { HostHealth } from '../../../src/manager/host-health.ts';
import { LifeSigns } from '../../../src/manager/life-signs.ts';

/** A database whose answers the test gives when it likes. */
class Stage {
  readonly signs: string[] = [];
  readonly statuses: string[] = [];
  readonly #answers: (() => void)[] = [];
  seconds = 0;
  health: HostHealth | null = null;
  tick: () => void = () => undefined;
  readonly lifeSigns: LifeSigns;

  constructor() {
    const pending = () => new Promise<void>((resolve) => this.#answers.push(resolve));
    const environment = {
      host: 'a.lab',
      role: 'primary',
      slots: 1,
      rules: defaultRules,
      clock: {
        monotonicSeconds: () => this.seconds,
        every: (_: number, tick: () => void) => {
          this.tick = tick;
          return () => undefined;
        },
      },
      machine: { meterLoad: () => () => ({ cpuPercent: 1, memoryPercent: 2, swapPercent: 3 }) },
      executor: { describe: () => 'warm', startsAtOnce: () => true },
      store: {
        ebMonitor: {
          write: ({ state }: { state: string }) => {
            this.signs.push(state);
            return pending();
          },
        },
        hosts: {
          write: ({ extras }: { extras: { thinking: string } }) => {
            this.statuses.push(extras.thinking);
            return pending();
          },
        },
      },
    } as unknown as Environment;
    this.lifeSigns = new LifeSigns(environment, () => ({ health: this.health, runners: [] }));
  }

  accept(ok: boolean): void {
    this.health = {
      accepting: ok ? { ok } : { ok, kind: 'disk', reason: 'the disk is full' },
      disk: null,
    };
  }

  async answer(): Promise<void> {
    for (const each of this.#answers.splice(0)) each();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
}

it('a database that does not answer holds up no life sign', () => {
  const stage = new Stage();
  stage.lifeSigns.start();
  for (let i = 0; i < 5; i++) stage.tick();
  expect(stage.signs).toHaveLength(6);
  // The other document is written once at a time.
  expect(stage.statuses).toEqual(['looking at this machine']);
});

it('after an outage only the last state is written, not all that there have been', async () => {
  const stage = new Stage();
  stage.lifeSigns.start();
  for (const ok of [true, false, true, false]) {
    stage.accept(ok);
    stage.lifeSigns.changed();
  }
  await stage.answer();
  expect(stage.statuses).toEqual([
    'looking at this machine',
    'taking no new run: the disk is full',
  ]);
  await stage.answer();
  expect(stage.statuses).toHaveLength(2);
});

it('what has not changed is written again within a minute, and not before', async () => {
  const stage = new Stage();
  stage.accept(true);
  stage.lifeSigns.start();
  await stage.answer();
  stage.seconds = 50;
  stage.tick();
  await stage.answer();
  expect(stage.statuses).toEqual(['waiting for runs']);
  stage.seconds = 59;
  stage.tick();
  await stage.answer();
  expect(stage.statuses).toEqual(['waiting for runs', 'waiting for runs']);
  expect(stage.signs).toEqual(['idle', 'idle', 'idle']);
});
