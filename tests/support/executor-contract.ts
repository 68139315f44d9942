import { expect, test } from 'vitest';

import type { Plan, Started } from '../../src/attempt/attempt.pure.ts';
import type { AttemptTrace, Executor, StartAnswer } from '../../src/executors/executor.ts';
import type { Life, Reach } from '../../src/executors/reach.ts';

/** A planned attempt whose directory is there. */
export interface ContractAttempt {
  plan: Plan;
  directory: string;
  /** What its guardian has written, once it has. */
  started: () => Promise<Started>;
}

/** What a contract needs around an executor. */
export interface ContractStage {
  executor: Executor;
  /** `works`: ends well after a while; `hangs`: runs until it is ended. */
  attempt: (does: 'works' | 'hangs') => Promise<ContractAttempt>;
  /** A start that the executor answers with this. */
  answered: (kind: 'refused' | 'unknown', attempt: ContractAttempt) => Promise<StartAnswer>;
  /** Waits for something that takes time. */
  wait: <T>(what: Promise<T>) => Promise<T>;
  /** Waits until it is so. */
  until: (what: string, condition: () => boolean) => Promise<void>;
}

const SHARE_BYTES = 64e9;
const GRACE_SECONDS = 5;

/** What every executor keeps to, wherever it runs attempts; `open` makes one with room for two. */
export function keepsTheContract(open: () => Promise<ContractStage>): void {
  const started = async (stage: ContractStage, does: 'works' | 'hangs') => {
    const attempt = await stage.attempt(does);
    const answer = await stage.wait(stage.executor.start(attempt.plan, attempt.directory));
    if (answer.kind !== 'started') throw new Error(`${answer.kind}: ${answer.reason}`);
    return { attempt, reach: answer.reach, answer };
  };
  const trace = (
    { plan, directory }: ContractAttempt,
    known: Started | null = null,
  ): AttemptTrace => ({
    ...{ id: plan.attempt, directory, started: known },
  });
  const isGone = (reach: Reach) => () => reach.life() === 'gone';

  test('what was started runs at once, by its reach, and is gone after its end', async () => {
    const stage = await open();
    const { attempt, reach, answer } = await started(stage, 'works');
    expect(reach.life()).toBe('running');
    expect(answer.warm || answer.why !== null).toBe(true);
    reach.begun(await stage.wait(attempt.started()));
    await stage.until('the end', isGone(reach));
    // Nothing is left to be ended, and saying so twice is no mistake.
    expect(await stage.wait(reach.end(GRACE_SECONDS))).toEqual({ kind: 'ended' });
    expect(await stage.wait(reach.clean())).toEqual([]);
  });

  test('what was told to end has ended when that is confirmed, also if it is told again', async () => {
    const stage = await open();
    const { reach } = await started(stage, 'hangs');
    expect(await stage.wait(reach.end(GRACE_SECONDS))).toEqual({ kind: 'ended' });
    expect(reach.life()).toBe('gone');
    expect(await stage.wait(reach.end(GRACE_SECONDS))).toEqual({ kind: 'ended' });
  });

  test.each(['known', 'not known'])(
    'another manager finds and ends what runs, with its guardian %s',
    async (known) => {
      const stage = await open();
      const { attempt, reach } = await started(stage, 'hangs');
      const words = await stage.wait(attempt.started());
      const found = await stage.wait(
        stage.executor.find(trace(attempt, known === 'known' ? words : null)),
      );
      expect(found?.life()).toBe('running');
      expect(await stage.wait(found!.end(GRACE_SECONDS))).toEqual({ kind: 'ended' });
      expect([found!.life(), reach.life()]).toEqual(['gone', 'gone']);
    },
  );

  test('what is over is found as such', async () => {
    const stage = await open();
    const { attempt, reach } = await started(stage, 'works');
    const words = await stage.wait(attempt.started());
    reach.begun(words);
    await stage.until('the end', isGone(reach));
    const found = await stage.wait(stage.executor.find(trace(attempt, words)));
    expect(found?.life()).toBe('gone');
  });

  test('what has not begun may still come, and after a while never will', async () => {
    const stage = await open();
    const found = await stage.wait(stage.executor.find(trace(await stage.attempt('works'))));
    if (found === null) {
      expect(stage.executor.foundWithinSeconds).toBeGreaterThan(0);
      return;
    }
    expect(found.life()).toBe('waiting');
    await stage.until('nobody to wait for it any more', isGone(found));
    expect(await stage.wait(found.end(GRACE_SECONDS))).toEqual({ kind: 'ended' });
  });

  test('a refused start leaves nothing that runs', async () => {
    const stage = await open();
    const attempt = await stage.attempt('works');
    expect(await stage.answered('refused', attempt)).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/\w/) as string,
    });
    const found = await stage.wait(stage.executor.find(trace(attempt)));
    expect(['waiting', null]).toContain(found?.life() ?? null);
  });

  test('a start that nobody answered for is looked for, and comes to an end either way', async () => {
    const stage = await open();
    const attempt = await stage.attempt('works');
    expect(await stage.answered('unknown', attempt)).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(/\w/) as string,
    });
    const found = await stage.wait(stage.executor.find(trace(attempt)));
    if (found === null) {
      expect(stage.executor.foundWithinSeconds).toBeGreaterThan(0);
      return;
    }
    expect<Life[]>(['waiting', 'running']).toContain(found.life());
    await stage.until('its end', isGone(found));
  });

  test('what runs can be measured and looked into; what is gone uses nothing', async () => {
    const stage = await open();
    const { attempt, reach } = await started(stage, 'hangs');
    reach.begun(await stage.wait(attempt.started()));
    const memory = await stage.wait(reach.memory(SHARE_BYTES));
    if (memory !== null) {
      expect(memory.bytes).toBeGreaterThan(0);
      expect(memory.bytes).toBeLessThan(memory.limitBytes);
      if (memory.isOfThisMachine) expect(memory.limitBytes).toBe(SHARE_BYTES);
    }
    const evidence = await stage.wait(reach.evidence(1));
    expect(evidence === null || evidence !== '').toBe(true);
    expect(reach.life()).toBe('running');
    await stage.wait(reach.end(GRACE_SECONDS));
    expect((await stage.wait(reach.memory(SHARE_BYTES)))?.bytes ?? 0).toBe(0);
    expect(await stage.wait(reach.evidence(1))).toBeNull();
  });

  test('places are counted, and none is left once they are taken', async () => {
    const { executor } = await open();
    expect(executor.places(0)).toEqual({ total: 2, free: 2, why: null });
    expect(executor.places(1)).toEqual({ total: 2, free: 1, why: null });
    for (const taken of [2, 3]) {
      const { free, why } = executor.places(taken);
      expect([free, why]).toEqual([0, 'all 2 places are taken']);
    }
  });

  test('once it starts attempts at once it is ready, and has told so', async () => {
    const { executor, until } = await open();
    let told = executor.startsAtOnce();
    const stop = executor.onChange(() => (told = true));
    await until('the executor to be up', () => executor.startsAtOnce() && told);
    stop();
    expect(executor.ready()).toEqual({ ok: true });
    expect(executor.describe()).toMatch(/^warm/);
    expect(executor.name).toMatch(/^[a-z]+$/);
  });
}
