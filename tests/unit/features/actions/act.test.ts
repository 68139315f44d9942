import { beforeEach, describe, expect, it } from 'vitest';

import { preview } from '../../../../src/features/actions/act.ts';
import { NO_REASON } from '../../../../src/features/actions/action.ts';
import { itemSeen } from '../../../../src/features/actions/seen.pure.ts';
import { isStranded, recover } from '../../../../src/features/actions/unfinished-actions.ts';
import { StoreError } from '../../../../src/infra/mongo/store-error.ts';
import { ATTEMPT, BUSY, EB3, failed, outcomeOf, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

describe('an action at a run', () => {
  it('is in the audit with who, why, what was seen, before and after', async () => {
    await world.insertRun(1, failed(2));
    const seen = await world.seen(1);
    const { action, message } = await world.ask('retry', 1, { seen });
    expect(message).toBe('Run 1 is due now; it counts 2 failed attempts.');
    expect(action).toMatchObject({
      ...{ kind: 'retry', run: 1, host: null, by: 'anna', via: 'dashboard', reason: 'why not' },
      ...{ state: 'done', saw: seen, message, awaits: null },
      before: { state: 'failed', n_failures: 2, tags: [] },
      after: { state: 'failed', outcome: 'requeued', n_failures: 2, action: action.id },
    });
    expect(action.ended!.getTime()).toBeGreaterThan(action.requested.getTime());
    expect((await world.run(1)).bootstrax).toMatchObject({ outcome: 'requeued' });
  });

  it.each([
    ['hold', {}, { tags: [{ name: 'hold-processing', user: 'anna' }] }],
    [
      'release',
      { tags: [{ name: 'hold-processing' }, { name: 'messy' }] },
      { tags: [{ name: 'messy' }] },
    ],
    ['abandon', {}, { bootstrax: { state: 'abandoned' } }],
    ['fail', {}, { bootstrax: { state: 'failed', n_failures: 1 } }],
  ] as const)('%s changes the run', async (kind, before, after) => {
    await world.insertRun(1, null, before);
    expect(outcomeOf(await world.ask(kind, 1, { seen: await world.seen(1) }))).toBe('done');
    expect(await world.run(1)).toMatchObject(after);
  });

  it.each(['hold', 'release', 'abandon', 'fail', 'retry', 'reprocess'] as const)(
    '%s is refused, and changes nothing, if the run is not as it was seen',
    async (kind) => {
      await world.insertRun(1, failed(1), { tags: [{ name: 'hold-processing' }] });
      const seen = await world.seen(1);
      const bootstrax = { ...failed(2), time: new Date(5) };
      await world.database.runs.updateOne({ number: 1 }, { $set: { bootstrax } });
      const before = await world.run(1);
      const { action } = await world.ask(kind, 1, { seen });
      expect(action.state).toBe('refused');
      expect(action.message).toMatch(/changed meanwhile, and nothing was written/);
      expect(await world.run(1)).toEqual(before);
    },
  );

  it('a heartbeat of a busy run is no change of what was seen', async () => {
    await world.insertRun(1, BUSY);
    const seen = await world.seen(1);
    const tools = world.reached({
      call: async (operation, carryOut) => {
        // A heartbeat between the look and the write, once.
        if (operation === 'updating runs' && (await world.bootstrax(1))['time'] === BUSY.time) {
          const time = new Date(world.nowMs);
          await world.database.runs.updateOne({ number: 1 }, { $set: { 'bootstrax.time': time } });
        }
        return carryOut();
      },
    });
    await world.ask('abandon', 1, { seen }, tools);
    expect(await world.bootstrax(1)).toMatchObject({ state: 'abandoned' });
  });

  it.each([
    ['retry', 'abandon'],
    ['hold', 'abandon'],
    ['hold', 'retry'],
    ['hold', 'hold'],
  ] as const)('of two people at once one is first, and the other is told: %s, %s', async (a, b) => {
    await world.insertRun(1, failed(1));
    const seen = await world.seen(1);
    // Both have looked before either writes.
    let looked = 0;
    let go: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (go = resolve));
    const tools = world.reached({
      call: async (operation, carryOut) => {
        if (operation === 'updating runs') {
          if (++looked === 2) go();
          await both;
        }
        return carryOut();
      },
    });
    const answers = await Promise.all([
      world.ask(a, 1, { seen, by: 'anna' }, tools),
      world.ask(b, 1, { seen, by: 'bert' }, tools),
    ]);
    expect(answers.map(outcomeOf).sort()).toEqual(['done', 'refused']);
    const refused = answers.find(({ action }) => action.state === 'refused')!;
    expect(refused.message).toMatch(/changed meanwhile/);
    const actions = await world.store.actions.list({ run: 1, limit: 10 });
    expect(actions.map(({ state }) => state).sort()).toEqual(['done', 'refused']);
  });

  it('is listed although the clock of who lists them is days behind', async () => {
    world.nowMs = Date.now() + 10 * 86_400_000;
    await world.insertRun(1, null);
    const { action } = await world.ask('hold', 1);
    expect(await world.store.actions.list({ limit: 10 })).toMatchObject([{ id: action.id }]);
  });

  it('what cannot be done is refused and kept too', async () => {
    await world.insertRun(1, null);
    const { action } = await world.ask('retry', 1);
    expect(action).toMatchObject({ state: 'refused', message: 'run 1 is new: it needs no retry' });
    expect((await world.ask('hold', 99)).action).toMatchObject({
      ...{ state: 'refused', before: null, message: 'there is no run 99' },
    });
    expect((await world.ask('drain', 1)).action.message).toBe('drain is for a host');
  });

  it('without a reason of its own keeps that of the last failure', async () => {
    await world.insertRun(1, failed(3));
    await world.ask('abandon', 1, { reason: NO_REASON });
    expect(await world.bootstrax(1)).toMatchObject({
      state: 'abandoned',
      reason: failed(3).reason,
    });
    await world.insertRun(2, failed(3));
    await world.ask('abandon', 2, { reason: 'wrong voltage' });
    expect((await world.bootstrax(2))['reason']).toBe(
      'console.lab:\nabandoned by anna: wrong voltage\n',
    );
  });

  it('on a busy run waits for the host that has it, and its attempt', async () => {
    await world.insertRun(1, BUSY);
    const { action, message } = await world.ask('abandon', 1);
    expect(message).toBe('Run 1 is abandoned.');
    expect(action).toMatchObject({
      ...{ state: 'requested', awaits: EB3, attempt: ATTEMPT, ended: null },
      after: { state: 'abandoned' },
    });
    // The owner is dead: nobody answers, and so it stays.
    world.laterBy(3600);
    expect(await world.store.actions.open()).toMatchObject([{ id: action.id, state: 'requested' }]);
    expect(isStranded(action, new Date(world.nowMs))).toBe(false);
  });

  it('on a run of a program that knows no attempts is done at once', async () => {
    await world.insertRun(1, { state: 'busy', host: EB3, time: new Date(0) });
    expect(outcomeOf(await world.ask('fail', 1))).toBe('done');
  });
});

describe('reprocess', () => {
  const done = { state: 'done', host: EB3, time: new Date(0), last_attempt: ATTEMPT };
  const debtor = {
    ...{ _id: ATTEMPT, run: 1, host: EB3, failures: 1, started: new Date(0), ended: new Date(1) },
    plan: { outputDirectory: '/out', targets: ['a'] },
    result: { outcome: 'done', dropped: ['b'] },
  };
  const live = { type: 'live', host: 'daq', location: '/live' };

  it('offers what a done run lacks', async () => {
    await world.database.attempts.insertOne(debtor);
    const data = [live, { type: 'a', host: EB3, location: '/out/000001-a-x' }];
    await world.insertRun(1, done, { data });
    const looked = await preview(world.tools(), 'reprocess', { kind: 'run', run: 1 });
    expect(looked.effect).toBe(
      `It stays done. ${EB3} makes the missing targets when it is idle: b.`,
    );
    expect(outcomeOf(await world.ask('reprocess', 1))).toBe('done');
    expect(await world.database.attempts.findOne({ _id: ATTEMPT })).toMatchObject({
      debt: { offered: true, by: 'anna' },
    });
    expect((await world.run(1)).bootstrax).toEqual(done);
  });

  it('begins anew where that cannot be added, or all has failed', async () => {
    await world.database.attempts.insertOne(debtor);
    await world.insertRun(1, done, { data: [live], status: 'transferred' });
    await world.insertRun(2, failed(10));
    for (const run of [1, 2]) {
      expect(outcomeOf(await world.ask('reprocess', run))).toBe('done');
      expect((await world.run(run)).bootstrax).toMatchObject({ state: 'failed', n_failures: 0 });
    }
  });

  it('is refused for a done run without live data', async () => {
    await world.insertRun(1, done, { data: [] });
    expect((await world.ask('reprocess', 1)).message).toMatch(/its live data is gone/);
  });
});

describe('an action whose asker is killed', () => {
  /** Killed before or after the given write. */
  const killedAt = (operation: string, which: number, when: 'before' | 'after') => {
    let count = 0;
    return world.reached({
      call: async (called, carryOut) => {
        if (called !== operation || ++count < which) return carryOut();
        if (when === 'after') await carryOut();
        throw new StoreError('refused', 'killed');
      },
    });
  };
  const log = { warn: () => undefined, error: () => undefined };
  const recovered = async () => {
    world.laterBy(61);
    const [action] = await world.store.actions.open();
    expect(isStranded(action!, new Date(world.nowMs))).toBe(true);
    await recover(world.store, action!, log);
    return world.store.actions.get(action!.id);
  };

  it('between the audit and the run is told as refused, and the run is untouched', async () => {
    await world.insertRun(1, failed(1));
    const before = await world.run(1);
    await expect(
      world.ask('retry', 1, {}, killedAt('updating runs', 1, 'before')),
    ).rejects.toThrow();
    expect(await world.store.actions.open()).toMatchObject([{ state: 'requested', run: 1 }]);
    expect(await recovered()).toMatchObject({
      state: 'refused',
      message: expect.stringMatching(/nothing was changed; request it again/) as string,
    });
    expect(await world.run(1)).toEqual(before);
  });

  it.each(['retry', 'fail', 'abandon', 'hold', 'reprocess'] as const)(
    'between the run and the audit is told as done: %s',
    async (kind) => {
      await world.insertRun(1, failed(1));
      const killed = world.ask(kind, 1, {}, killedAt('updating runs', 1, 'after'));
      await expect(killed).rejects.toThrow();
      expect(await recovered()).toMatchObject({ state: 'done', after: {} });
    },
  );

  it('is told as done although somebody has asked for something else since', async () => {
    await world.insertRun(1, failed(1));
    const killed = world.ask('fail', 1, {}, killedAt('updating runs', 1, 'after'));
    await expect(killed).rejects.toThrow();
    await world.ask('retry', 1);
    expect(await recovered()).toMatchObject({ kind: 'fail', state: 'done' });
  });

  it('waits for the host of a busy run if the run was taken away', async () => {
    await world.insertRun(1, BUSY);
    const killed = world.ask('abandon', 1, {}, killedAt('updating runs', 1, 'after'));
    await expect(killed).rejects.toThrow();
    expect(await recovered()).toMatchObject({
      ...{ state: 'requested', awaits: EB3, attempt: ATTEMPT },
    });
  });

  it('has the last word if it was only slow', async () => {
    await world.insertRun(1, failed(1));
    const { action } = await world.ask('retry', 1);
    await world.store.actions.refuse(action.id, 'too late');
    expect((await world.store.actions.get(action.id))?.state).toBe('done');
  });
});

describe('drain', () => {
  it('waits for the host, wherever it was asked', async () => {
    await world.insertHost(EB3, { runs: [7] });
    const look = await preview(world.tools(), 'drain', { kind: 'host', host: EB3 });
    expect(look).toMatchObject({
      ...{ seen: 'not drained', possible: true, effect: 'It takes no new run. Run 7 goes on.' },
    });
    const { action } = await world.ask('drain', EB3, { seen: look.seen, hours: 2 });
    expect(action).toMatchObject({ state: 'requested', awaits: EB3, host: EB3, hours: 2 });
  });

  it('is refused for a host that nobody knows, or that is not as it was seen', async () => {
    expect((await world.ask('drain', 'eb9')).message).toBe('no host eb9 is known');
    await world.insertHost(EB3, { drained: { reason: 'drained by bert: disk', expires: null } });
    const { action } = await world.ask('drain', EB3, { seen: 'not drained' });
    expect(action).toMatchObject({ state: 'refused', awaits: null });
    expect(action.message).toMatch(/Now: drained: drained by bert: disk/);
  });

  it('says that a host is silent', async () => {
    await world.insertHost(EB3);
    world.laterBy(3600);
    const look = await preview(world.tools(), 'undrain', { kind: 'host', host: EB3 });
    expect(look.effect).toMatch(/is silent now, and will do so when it comes back/);
  });
});

describe('acknowledge', () => {
  const key = `host_silent:${EB3}`;
  const since = (action: string | null) => itemSeen('since noon', action);
  beforeEach(() => {
    world.attention = [{ key, seen: since(null), what: 'it is silent' }];
  });

  it('is kept with its owner and its end', async () => {
    const { action } = await world.ask('acknowledge', key, { seen: since(null), hours: 2 });
    expect(action).toMatchObject({ state: 'done', item: key });
    expect(action.expires!.getTime() - action.requested.getTime()).toBeGreaterThan(7_199_000);
    expect(await world.store.actions.standing()).toMatchObject([
      { item: key, action: action.id, occurrence: 'since noon', by: 'anna', reason: 'why not' },
    ]);
  });

  it('of two people at once one is first', async () => {
    const answers = await Promise.all([
      world.ask('acknowledge', key, { seen: since(null), by: 'anna' }),
      world.ask('acknowledge', key, { seen: since(null), by: 'bert' }),
    ]);
    expect(answers.map(outcomeOf).sort()).toEqual(['done', 'refused']);
  });

  it('is taken over only by those who have seen whose it was', async () => {
    const { action } = await world.ask('acknowledge', key, { seen: since(null) });
    world.attention = [{ key, seen: since(action.id), what: 'it is silent' }];
    expect((await world.ask('acknowledge', key, { seen: since(null) })).action.state).toBe(
      'refused',
    );
    const second = await world.ask('acknowledge', key, { seen: since(action.id), by: 'bert' });
    expect(second.action.state).toBe('done');
    expect(await world.store.actions.standing()).toMatchObject([{ by: 'bert' }]);
  });

  it('is refused for what is over', async () => {
    expect((await world.ask('acknowledge', 'given_up:7')).message).toMatch(/any more/);
  });

  it('takes on a group of failures, whatever it is called', async () => {
    const { action } = await world.ask('acknowledge', 'failure:a | $b', {
      seen: itemSeen('a | $b', null),
    });
    expect(action.state).toBe('done');
    expect(await world.store.actions.standing()).toMatchObject([{ occurrence: 'a | $b' }]);
  });
});
