import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { type Plan, PROTOCOL_VERSION } from '../../../src/attempt/attempt.pure.ts';
import { Attempt } from '../../../src/attempt/attempt-machine.ts';
import type { AttemptPhase } from '../../../src/attempt/attempt-phases.pure.ts';
import type { AttemptPolicy, Life } from '../../../src/attempt/attempt-policy.ts';
import type { AttemptFiles } from '../../../src/attempt/files/attempt-directory.ts';
import type { Outcome } from '../../../src/attempt/outcome.pure.ts';
import type { FollowHandlers } from '../../../src/attempt/process/follow.ts';
import { RUN_KIND } from '../../../src/attempt/run-kind.ts';
import type { AttemptTrace, StartAnswer } from '../../../src/executors/executor.ts';
import type { Life as ProcessLife, Reach } from '../../../src/executors/reach.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import type { Environment } from '../../../src/ports/environment.ts';
import { HandTasks } from '../../support/hand-tasks.ts';

const ID = 'a'.repeat(24);
const GUARDIAN = { pid: 7, startTicks: 1, bootId: 'elsewhere' };
const FILE = { version: PROTOCOL_VERSION, attempt: ID };
const STARTED = { ...FILE, guardian: GUARDIAN, child: GUARDIAN, warm: true };
const FENCE = { id: new ObjectId(), attempt: ID, host: 'here' };
const PLAN = { attempt: ID, run: 5, runConfig: {}, targets: [] } as unknown as Plan;
const EXIT = {
  ...FILE,
  ...{ code: 1, signal: null, outOfMemory: false, orphaned: false, peakMemoryBytes: 1 },
};

/** An attempt on an executor whose answers the test gives, on a clock of its own. */
class Stage {
  seconds = 0;
  /** What a search finds, one after the other; the last one again and again. */
  found: (Reach | null)[] = [null];
  life: ProcessLife = 'running';
  readonly phases: AttemptPhase[] = [];
  readonly done: string[] = [];
  readonly traces: AttemptTrace[] = [];
  outcome: Outcome | null = null;
  readonly attempt: Attempt;
  readonly managerEnds = new AbortController();
  /** Between two searches, or while the end is awaited. */
  onSleep: () => void = () => undefined;
  readonly reach: Reach = {
    where: { executor: 'local', guardian: null },
    life: () => this.life,
    refresh: () => Promise.resolve(),
    verdict: () => null,
    begun: () => undefined,
    end: (graceSeconds) => {
      this.done.push(`end after ${graceSeconds} s`);
      this.life = 'gone';
      this.#over();
      return Promise.resolve({ kind: 'ended' });
    },
    evidence: () => Promise.resolve(null),
    memory: () => Promise.resolve(null),
    clean: () => Promise.resolve([]),
  };
  #over: () => void = () => undefined;
  readonly #followed = new Promise<void>((resolve) => (this.#over = resolve));

  constructor(answer: StartAnswer['kind'], { foundWithinSeconds = 10 } = {}) {
    const env = this.#environment(answer, foundWithinSeconds);
    const hooks = { onPhase: () => this.#notePhase(), managerEnds: this.managerEnds.signal };
    const of = { fence: FENCE, on: 'local' as const, policyOf: (life: Life) => this.#policy(life) };
    this.attempt = new Attempt(env, of, hooks);
  }

  /** The same that an earlier manager has begun. */
  files(change: Partial<AttemptFiles> = {}): AttemptFiles & { plan: Plan } {
    return {
      ...{ id: ID, directory: '/attempt', started: null, result: null, exit: null },
      ...{ superseded: false, ending: null, publishing: null, concluded: false, problems: [] },
      ...change,
      plan: PLAN,
    };
  }

  #notePhase(): void {
    if (this.phases.at(-1) !== this.attempt.phase) this.phases.push(this.attempt.phase);
  }

  #environment(answer: StartAnswer['kind'], foundWithinSeconds: number): Environment {
    const silent = () => undefined;
    return {
      host: 'here',
      rules: defaultRules,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      clock: {
        monotonicSeconds: () => this.seconds,
        sleep: (seconds: number) => {
          this.seconds += seconds;
          this.onSleep();
          return Promise.resolve();
        },
      },
      tasks: new HandTasks(),
      store: { attempts: { begin: () => Promise.resolve(), plan: () => Promise.resolve() } },
      products: {},
      executor: {
        name: 'double',
        foundWithinSeconds,
        startsAtOnce: () => true,
        start: (): Promise<StartAnswer> => Promise.resolve(this.#answer(answer)),
        find: (trace: AttemptTrace) => {
          this.traces.push(trace);
          const next = this.found.length > 1 ? this.found.shift() : this.found[0];
          return Promise.resolve(next ?? null);
        },
      },
      attempts: {
        create: () => Promise.resolve('/attempt'),
        read: () => Promise.resolve(this.files({ exit: EXIT })),
        markSuperseded: () => {
          this.done.push('superseded');
          return Promise.resolve();
        },
        noteEnding: () => Promise.resolve(),
        touchFollowed: () => Promise.resolve(),
        boundLog: () => Promise.resolve(),
        follow: (_: string, reach: Reach, handlers: FollowHandlers, signal: AbortSignal) => {
          signal.addEventListener('abort', () => this.#over());
          if (reach.life() === 'gone') this.#over();
          else handlers.onStarted?.(STARTED);
          return { done: this.#followed, progress: null, lastActivityMs: 0 };
        },
      },
    } as unknown as Environment;
  }

  #answer(kind: StartAnswer['kind']): StartAnswer {
    switch (kind) {
      case 'started':
        return { kind, reach: this.reach, begun: true, warm: true, why: null };
      case 'refused':
      case 'unknown':
        return { kind, reason: 'the double says so' };
    }
  }

  #policy(life: Life): AttemptPolicy {
    return {
      kind: RUN_KIND,
      run: { number: 5, mode: 'm', bootstrax: { failures: 0 } },
      record: () => ({}),
      prepare: () => Promise.resolve({ plan: PLAN }),
      makeRoom: () => Promise.resolve(null),
      begin: () => Promise.resolve(null),
      started: () => this.done.push('started'),
      adopted: () => undefined,
      onFolder: () => undefined,
      sinceEndSeconds: () => null,
      read: () => Promise.resolve(),
      renew: () => Promise.resolve(),
      check: () => Promise.resolve({ kind: 'ok' }),
      conclude: (_: unknown, outcome: Outcome) => {
        life.enter('concluding');
        this.outcome = outcome;
        return Promise.resolve(true);
      },
      progressSummary: () => null,
    } as unknown as AttemptPolicy;
  }
}

const failed = (kind: string, reason: RegExp) => ({
  kind: 'failed',
  fault: 'surroundings',
  cause: { kind },
  reason: expect.stringMatching(reason) as string,
});
const soon = () => new Promise((resolve) => setImmediate(resolve));

describe('what an executor answers to a start', () => {
  it('started: it is supervised to its end', async () => {
    const stage = new Stage('started');
    const life = stage.attempt.advance({ kind: 'claimed' });
    await soon();
    expect(stage.attempt.reach).toBe(stage.reach);
    stage.attempt.end({ kind: 'operator', reason: 'enough' });
    await life;
    expect(stage.phases).toEqual(['preparing', 'starting', 'running', 'concluding']);
    expect(stage.done.slice(0, 2)).toEqual(['started', 'end after 3 s']);
    expect(stage.outcome).toMatchObject(failed('operator', /enough/));
    expect(stage.traces).toEqual([]);
  });

  it('refused: it is this host’s problem, and nothing is looked for', async () => {
    const stage = new Stage('refused');
    await stage.attempt.advance({ kind: 'claimed' });
    expect(stage.phases).toEqual(['preparing', 'starting', 'concluding']);
    expect(stage.outcome).toMatchObject(failed('host_problem', /could not start it: the double/));
    expect(stage.traces).toEqual([]);
  });

  it.each([
    ['at once', 0],
    ['after a while', 3],
  ])('unknown, and found %s: it is supervised as one that was started', async (_, misses) => {
    const stage = new Stage('unknown');
    stage.found = [...Array.from({ length: misses }, () => null), stage.reach];
    const life = stage.attempt.advance({ kind: 'claimed' });
    await soon();
    expect(stage.attempt.phase).toBe('running');
    expect(stage.traces).toHaveLength(misses + 1);
    stage.attempt.end({ kind: 'operator', reason: 'enough' });
    await life;
    expect(stage.phases).toEqual(['preparing', 'starting', 'finding', 'running', 'concluding']);
    expect(stage.outcome).toMatchObject(failed('operator', /enough/));
  });

  it('unknown, and found before it has begun: it may still come, or not', async () => {
    const stage = new Stage('unknown');
    stage.found = [stage.reach];
    stage.life = 'gone';
    await stage.attempt.advance({ kind: 'claimed' });
    expect(stage.outcome).toMatchObject({ cause: { kind: 'child_died' } });
    expect(stage.done).toEqual(['superseded', 'end after 3 s']);
  });

  it('unknown, and nothing is found in time: a late one is forbidden to begin, then the run goes back', async () => {
    const stage = new Stage('unknown', { foundWithinSeconds: 10 });
    await stage.attempt.advance({ kind: 'claimed' });
    expect(stage.seconds).toBe(10);
    expect(stage.phases).toEqual(['preparing', 'starting', 'finding', 'concluding']);
    expect(stage.done).toEqual(['superseded']);
    expect(stage.outcome).toMatchObject(failed('host_problem', /nothing of it was found on here/));
  });

  it('unknown, and superseded meanwhile: it is looked for all the same, and ended', async () => {
    const stage = new Stage('unknown');
    stage.found = [null, null, stage.reach];
    stage.onSleep = () => stage.attempt.end({ kind: 'superseded' });
    await stage.attempt.advance({ kind: 'claimed' });
    expect(stage.done).toContain('end after 3 s');
    expect(stage.outcome).toEqual({ kind: 'superseded' });
  });

  it('unknown, and the manager ends: nothing is concluded or given back, the next one finds it', async () => {
    const stage = new Stage('unknown');
    stage.onSleep = () => stage.managerEnds.abort();
    await stage.attempt.advance({ kind: 'claimed' });
    expect(stage.attempt.phase).toBe('finding');
    expect(await stage.attempt.giveBack(new AbortController().signal)).toBe(false);
    expect(stage.outcome).toBeNull();
    const next = new Stage('refused');
    next.found = [null, next.reach];
    const life = next.attempt.advance({ kind: 'begun', files: next.files() });
    await soon();
    expect(next.phases).toEqual(['finding', 'running']);
    next.attempt.end({ kind: 'operator', reason: 'enough' });
    await life;
  });
});

describe('an attempt of an earlier manager', () => {
  it('is found by what its directory says', async () => {
    const stage = new Stage('refused');
    stage.found = [stage.reach];
    const files = stage.files({ started: STARTED });
    const life = stage.attempt.advance({ kind: 'begun', files });
    await soon();
    expect(stage.traces).toEqual([{ id: ID, directory: '/attempt', started: STARTED }]);
    expect(stage.phases).toEqual(['finding', 'running']);
    stage.attempt.end({ kind: 'operator', reason: 'enough' });
    await life;
  });

  it('that was to end already is ended once it is found', async () => {
    const stage = new Stage('refused');
    stage.found = [null, stage.reach];
    const ended = { kind: 'operator', reason: 'as noted' } as const;
    const files = stage.files({ ending: { ...FILE, ended } });
    await stage.attempt.advance({ kind: 'begun', files });
    expect(stage.done).toContain('end after 3 s');
    expect(stage.outcome).toMatchObject(failed('operator', /as noted/));
  });
});
