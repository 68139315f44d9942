import { describe, expect, it } from 'vitest';

import type { Progress } from '../../../src/attempt/attempt.pure.ts';
import type { Started } from '../../../src/attempt/attempt.pure.ts';
import type { AttemptFiles } from '../../../src/attempt/files/attempt-directory.ts';
import { type Ended, outcomeOf } from '../../../src/attempt/outcome.pure.ts';
import type { FollowHandlers } from '../../../src/attempt/process/follow.ts';
import { Supervision } from '../../../src/attempt/supervise.ts';
import type { Life, Reach } from '../../../src/executors/reach.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import type { Environment } from '../../../src/ports/environment.ts';
import { HandTasks } from '../../support/hand-tasks.ts';

const HOUR = 3600;
const GUARDIAN = { pid: 7, startTicks: 1, bootId: 'b' };
const CHILD = { pid: 8, startTicks: 1, bootId: 'b' };

/** An attempt that runs on a clock of the test's own. */
class Stage {
  seconds = 1000;
  sinceEnd: number | null = null;
  life: Life = 'running';
  left: string | null = null;
  /** The disk does not answer. */
  hangs = false;
  /** What its directory holds, whatever the follower has told. */
  files: Partial<AttemptFiles> = {};
  /** Why the child cannot be shown that it is followed. */
  fails: Error | null = null;
  readonly warnings: string[] = [];
  /** What was done to the attempt, in order. */
  readonly done: string[] = [];
  readonly supervision: Supervision;
  readonly #tasks = new HandTasks();
  #handlers: FollowHandlers = {};
  #follower = { progress: null as Progress | null, lastActivityMs: this.seconds * 1000 };

  constructor({ begun = true, ofDebt = false }: { begun?: boolean; ofDebt?: boolean } = {}) {
    const environment = {
      host: 'here',
      rules: defaultRules,
      log: {
        info: () => undefined,
        warn: (_: unknown, text: string) => this.warnings.push(text),
        error: (_: unknown, text: string) => this.done.push(`error: ${text}`),
      },
      clock: {
        monotonicSeconds: () => this.seconds,
        sleep: () => Promise.resolve(),
      },
      tasks: this.#tasks,
      store: { daqLog: { write: () => Promise.resolve() } },
      attempts: {
        follow: (_: string, _reach: unknown, handlers: FollowHandlers, signal: AbortSignal) => {
          this.#handlers = handlers;
          const over = new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => resolve());
          });
          return Object.assign(this.#follower, { done: over });
        },
        touchFollowed: () => {
          if (this.fails !== null) return Promise.reject(this.fails);
          this.done.push('followed');
          return Promise.resolve();
        },
        boundLog: () => Promise.resolve(),
        noteEnding: () => (this.hangs ? new Promise(() => undefined) : Promise.resolve()),
        read: () => Promise.resolve(this.files),
        markSuperseded: () => {
          this.done.push('superseded');
          return Promise.resolve();
        },
      },
    } as unknown as Environment;
    let child = 'nobody';
    const reach: Reach = {
      where: { executor: 'local', guardian: GUARDIAN },
      life: () => this.life,
      refresh: () => Promise.resolve(),
      verdict: () => null,
      begun: (started: Started) => (child = String(started.child.pid)),
      end: (graceSeconds) => {
        this.done.push(`end after ${graceSeconds} s`);
        const { left } = this;
        return Promise.resolve(left === null ? { kind: 'ended' } : { kind: 'unconfirmed', left });
      },
      evidence: (patience) => {
        this.done.push(`evidence of ${child} within ${patience} s`);
        return Promise.resolve('in hangs_here');
      },
      memory: () => Promise.resolve(null),
      clean: () => Promise.resolve([]),
    };
    this.supervision = new Supervision(environment, {
      run: 5,
      attempt: 'a',
      directory: '/attempt',
      reach,
      begun,
      ofDebt,
      sinceEndSeconds: () => this.sinceEnd,
      onFolder: () => undefined,
      onProgress: () => undefined,
    });
  }

  begin(): void {
    const file = { version: 1 as const, attempt: 'a', warm: true };
    this.#handlers.onStarted?.({ ...file, guardian: GUARDIAN, child: CHILD });
  }

  /** A line that says something new; `t` seconds since the child's start. */
  progress(t: number): void {
    const progress = { t, phase: 'processing' as const, chunks: 1, coveredSeconds: 1, bytes: 1 };
    this.#follower.progress = { ...progress, memoryBytes: 1 };
    this.#follower.lastActivityMs = this.seconds * 1000;
    this.#handlers.onProgress?.(this.#follower.progress);
  }

  /** With a look every 5 s, and one at the end. */
  pass(seconds: number): void {
    for (let left = seconds; left > 0; left -= 5) {
      this.seconds += Math.min(left, 5);
      this.#tasks.ring();
    }
    if (seconds === 0) this.#tasks.ring();
  }

  standStill(seconds: number): void {
    this.seconds += seconds;
    this.#tasks.ring();
  }

  async cause(): Promise<Ended | null> {
    const end = await this.supervision.done;
    if (end === null) throw new Error('left');
    return end.ended;
  }

  get ended(): boolean {
    return this.done.some((what) => what.startsWith('end'));
  }
}

describe('the limits of an attempt', () => {
  it('72 h by the child’s own count, also after an adoption, where its run is done', async () => {
    const stage = new Stage({ ofDebt: true });
    stage.begin();
    stage.progress(71 * HOUR);
    for (let hour = 0; hour < 0.9; hour += 0.1) {
      stage.pass(0.1 * HOUR);
      stage.progress(71 * HOUR + hour * HOUR);
    }
    expect(stage.ended).toBe(false);
    stage.progress(72 * HOUR);
    stage.pass(1);
    expect(await stage.cause()).toEqual({ kind: 'timed_out', which: 'processing' });
  });

  it('none for one that follows a run being taken and moves, however long that is', () => {
    const stage = new Stage();
    stage.begin();
    for (let hours = 70; hours < 80; hours += 0.1) {
      stage.pass(0.1 * HOUR);
      stage.progress(hours * HOUR);
    }
    expect(stage.ended).toBe(false);
  });

  it.each([
    [14 * HOUR, 12 * HOUR, false],
    [12 * HOUR, 14 * HOUR, false],
    [null, 14 * HOUR, false],
    [13 * HOUR, 13 * HOUR, false],
    [13 * HOUR + 1, 13 * HOUR + 1, true],
  ])(
    '13 h after the end (%s s) and after the start (%s s): ended %s',
    async (sinceEnd, age, ended) => {
      const stage = new Stage();
      stage.begin();
      stage.sinceEnd = sinceEnd;
      stage.progress(age);
      stage.pass(0);
      if (ended) expect(await stage.cause()).toEqual({ kind: 'timed_out', which: 'after_end' });
      await new Promise(setImmediate);
      expect(stage.ended).toBe(ended);
    },
  );

  it('end the child also where the disk hangs and cannot note why', async () => {
    const stage = new Stage();
    stage.hangs = true;
    stage.begin();
    stage.sinceEnd = 73 * HOUR;
    stage.progress(73 * HOUR);
    stage.pass(0);
    expect(await stage.cause()).toEqual({ kind: 'timed_out', which: 'processing' });
    expect(stage.ended).toBe(true);
  });

  it('30 min without progress, counted on this machine’s monotonic clock', async () => {
    const stage = new Stage();
    stage.begin();
    stage.pass(1799);
    stage.progress(1799);
    stage.pass(1800);
    expect(stage.done.filter((what) => what !== 'followed')).toEqual([]);
    stage.pass(1);
    expect(await stage.cause()).toEqual({ kind: 'no_progress' });
    expect(stage.done.filter((what) => what !== 'followed').slice(0, 2)).toEqual([
      'evidence of 8 within 3 s',
      'end after 3 s',
    ]);
    expect((await stage.supervision.done)?.stacks).toBe('in hangs_here');
  });

  it('30 min without progress, not counted while the manager itself stood still', async () => {
    const stage = new Stage();
    stage.begin();
    stage.pass(100);
    stage.standStill(4000);
    stage.pass(1800);
    expect(stage.ended).toBe(false);
    stage.pass(1);
    expect(await stage.cause()).toEqual({ kind: 'no_progress' });
  });

  it('the first cause counts, and evidence is taken once', async () => {
    const stage = new Stage();
    stage.begin();
    stage.pass(1801);
    stage.pass(5);
    void stage.supervision.end({ kind: 'operator', reason: 'enough' });
    expect(await stage.cause()).toEqual({ kind: 'no_progress' });
    expect(stage.done.filter((what) => what.startsWith('evidence'))).toHaveLength(1);
  });

  it('where memory runs out there is little time; an operator asks for no evidence', async () => {
    const greedy = new Stage();
    greedy.begin();
    await greedy.supervision.end({
      kind: 'memory_limit',
      bytes: 9,
      limitBytes: 8,
      availableBytes: 1,
    });
    expect(greedy.done.slice(0, 2)).toEqual(['evidence of 8 within 0.5 s', 'end after 1 s']);
    const stopped = new Stage();
    await stopped.supervision.end({ kind: 'operator', reason: 'enough' });
    expect(stopped.done[0]).toBe('end after 3 s');
    expect((await stopped.supervision.done)?.stacks).toBeNull();
  });

  it('each look shows the child that a manager is there', () => {
    const stage = new Stage();
    stage.pass(5);
    stage.pass(5);
    expect(stage.done).toEqual(['followed', 'followed']);
  });
});

it('a directory that is gone or full is told of once, and again after it was well', async () => {
  const stage = new Stage();
  const look = async () => {
    stage.pass(5);
    await new Promise(setImmediate);
  };
  stage.fails = new Error('ENOSPC');
  for (let i = 0; i < 3; i++) await look();
  expect(stage.warnings).toHaveLength(1);
  stage.fails = null;
  await look();
  stage.fails = new Error('ENOSPC');
  await look();
  expect(stage.warnings).toHaveLength(2);
  expect(stage.ended).toBe(false);
});

describe('an attempt that does not begin', () => {
  it('is over as soon as its guardian is gone', async () => {
    const stage = new Stage();
    stage.pass(5);
    stage.life = 'gone';
    stage.pass(5);
    expect(await stage.supervision.done).toMatchObject({ started: true, ended: null, exit: null });
  });

  it('and of which nothing is known, as soon as nothing of it will come', async () => {
    const stage = new Stage({ begun: false });
    stage.life = 'waiting';
    stage.pass(10);
    expect(stage.ended).toBe(false);
    stage.life = 'gone';
    stage.pass(0.1);
    expect(await stage.supervision.done).toMatchObject({ started: false, ended: null });
    // Should it come after all, it is told so before its processes are looked for.
    const done = stage.done.filter((what) => what !== 'followed');
    expect(done).toEqual(['superseded', 'end after 3 s']);
  });

  it('is neither slow nor idle while it waits for its place', async () => {
    const stage = new Stage({ begun: false });
    stage.life = 'waiting';
    stage.sinceEnd = 100 * HOUR;
    stage.pass(100 * HOUR);
    expect(stage.ended).toBe(false);
    stage.life = 'running';
    stage.begin();
    stage.pass(1800);
    expect(stage.ended).toBe(false);
    stage.pass(5);
    expect(await stage.cause()).toEqual({ kind: 'no_progress' });
  });
});

it('nothing is concluded of an attempt of which nobody can tell whether it lives', () => {
  const stage = new Stage({ begun: false });
  stage.life = 'unknown';
  stage.pass(1000);
  expect(stage.ended).toBe(false);
});

it('processes that do not end are told of, and the attempt comes to its end', async () => {
  const stage = new Stage();
  stage.begin();
  stage.left = 'processes 7, 8';
  await stage.supervision.end({ kind: 'operator', reason: 'enough' });
  expect(await stage.cause()).toEqual({ kind: 'operator', reason: 'enough' });
  expect(stage.done).toContain('error: processes 7, 8 of run 5 on here did not end after KILL');
});

it('left to the next manager, nothing is ended', async () => {
  const stage = new Stage();
  stage.begin();
  stage.supervision.leave();
  expect(await stage.supervision.done).toBeNull();
  expect(stage.done).toEqual([]);
});

describe('a manager that stood still while its attempt finished', () => {
  const words = { version: 1 as const, attempt: 'a', peakMemoryBytes: 1 };
  const result = {
    ...words,
    ...{ run: 5, ok: true, error: null, products: [], skipped: [], seconds: 1, versions: {} },
  };
  const exit = { ...words, code: 0, signal: null, outOfMemory: false, orphaned: false };
  const started = {
    ...{ version: 1 as const, attempt: 'a', warm: true },
    ...{ guardian: GUARDIAN, child: CHILD },
  };

  it.each([
    ['and looked for the processes before it read the files', true],
    ['and had adopted it before it had begun', false],
  ])('finds what it has written, %s', async (_when, begun) => {
    const stage = new Stage({ begun });
    stage.files = { started, result, exit };
    stage.life = 'gone';
    stage.standStill(11);
    const end = await stage.supervision.done;
    expect(end).toMatchObject({ started: true, result, exit, ended: null });
    expect(outcomeOf(end!, { kind: 'ok' })).toEqual({ kind: 'done' });
  });

  it('finds a result that is complete although it was about to end the attempt', async () => {
    const stage = new Stage();
    stage.begin();
    stage.files = { started, result, exit };
    stage.standStill(1801);
    stage.pass(1801);
    const end = await stage.supervision.done;
    expect(outcomeOf(end!, { kind: 'ok' })).toEqual({ kind: 'done' });
  });
});
