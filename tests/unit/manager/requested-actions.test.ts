import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';

import type { ActionRequest } from '../../../src/features/actions/action.port.ts';
import type { Drain } from '../../../src/host/drain.ts';
import { Asked } from '../../../src/manager/requested-actions.ts';
import { HandTasks } from '../../support/hand-tasks.ts';
import { ATTEMPT, BUSY, EB3, World } from '../features/actions/world.ts';

const DRAINED = { reason: 'drained by bert: disk', expires: null, action: null };

let world: World;
let asked: Asked;
let drained: Drain | null;
let tasks: HandTasks;
/** Attempts of this host, and whether each has looked at its run. */
let runners: { fence: { attempt: string }; looked: boolean; look: () => Promise<void> }[];
/** The manager's hand in the database: thrown by the next change of the host. */
let crash: Error | null;

const state = async (id: string) => (await world.store.actions.get(id))!;
/** As after a start. */
function begin(): void {
  const clock = { monotonicSeconds: () => world.nowMs / 1000 };
  const log = pino({ level: 'silent' });
  tasks = new HandTasks();
  asked = new Asked(
    { host: EB3, store: world.store, log, clock, tasks },
    {
      book: { all: () => runners },
      drained: () => drained,
      drain: (drain) => {
        drained = drain;
        if (crash !== null) return Promise.reject(crash);
        const message = drain === null ? 'runs are taken again' : 'no new run is taken here';
        return Promise.resolve({ ok: true, message });
      },
    },
  );
}

beforeEach(async () => {
  world = new World();
  drained = null;
  runners = [];
  crash = null;
  await world.insertHost(EB3);
  begin();
});

describe('drain', () => {
  it('that was cut is refused once somebody has asked for the contrary', async () => {
    const { action } = await world.ask('drain', EB3);
    const undone = await world.ask('undrain', EB3, { by: 'bert' });
    await world.store.actions.done(undone.action.id, { message: 'runs are taken again' });
    await asked.look(true);
    expect(drained).toBeNull();
    expect(await state(action.id)).toMatchObject({
      ...{ state: 'refused', message: `bert has asked to undrain ${EB3} since` },
    });
  });

  it('is carried out, and told with its end', async () => {
    const { action } = await world.ask('drain', EB3, { hours: 2 });
    await asked.look(true);
    const expires = new Date(action.requested.getTime() + 7_200_000);
    expect(drained).toEqual({ reason: 'drained by anna: why not', expires, action: action.id });
    expect(await state(action.id)).toMatchObject({
      ...{ state: 'done', message: 'no new run is taken here', expires },
      seenBy: { host: EB3 },
      after: { drained: { reason: 'drained by anna: why not' } },
    });
  });

  it('ends by itself', async () => {
    await world.ask('drain', EB3, { hours: 1 });
    await asked.look(true);
    world.laterBy(3590);
    await asked.look(true);
    expect(drained).not.toBeNull();
    world.laterBy(20);
    await asked.look(true);
    expect(drained).toBeNull();
  });

  it('is refused if somebody at the host was faster', async () => {
    const { action } = await world.ask('drain', EB3);
    drained = DRAINED;
    await asked.look(true);
    expect(await state(action.id)).toMatchObject({ state: 'refused', seenBy: { host: EB3 } });
    expect(drained).toBe(DRAINED);
  });

  it('is refused if the host comes back only when its time is over', async () => {
    const { action } = await world.ask('drain', EB3, { hours: 1 });
    world.laterBy(4000);
    await asked.look(true);
    expect(await state(action.id)).toMatchObject({ state: 'refused' });
    expect(drained).toBeNull();
  });

  it.each(['drain', 'undrain'] as const)(
    '%s goes on after a manager that was killed before it could tell',
    async (kind) => {
      if (kind === 'undrain') {
        drained = DRAINED;
        const shown = { reason: DRAINED.reason, expires: null };
        await world.database.hosts.updateOne({ host: EB3 }, { $set: { drained: shown } });
      }
      const { action } = await world.ask(kind, EB3);
      crash = new Error('killed');
      await expect(asked.look(true)).rejects.toThrow('killed');
      expect((await state(action.id)).state).toBe('seen');
      crash = null;
      begin();
      await asked.look(true);
      expect((await state(action.id)).state).toBe('done');
      expect(drained === null).toBe(kind === 'undrain');
    },
  );

  it('of another host is none of its business', async () => {
    await world.insertHost('eb4.lab');
    const { action } = await world.ask('drain', 'eb4.lab');
    await asked.look(true);
    expect((await state(action.id)).state).toBe('requested');
  });
});

describe('a run that was taken away', () => {
  it('is noticed while its attempt is there, and done when nothing of it is left', async () => {
    await world.insertRun(1, BUSY);
    const { action } = await world.ask('abandon', 1);
    const runner = { fence: { attempt: ATTEMPT }, looked: false, look: () => Promise.resolve() };
    runner.look = () => Promise.resolve(void (runner.looked = true));
    runners = [runner];
    await asked.look(true);
    expect(await state(action.id)).toMatchObject({ state: 'seen', seenBy: { host: EB3 } });
    expect(runner.looked).toBe(true);
    runners = [];
    asked.noticed();
    await asked.look(true);
    expect(await state(action.id)).toMatchObject({
      state: 'done',
      message: `Run 1 is abandoned; its attempt on ${EB3} has ended: no process of it is left.`,
    });
  });
});

describe('what nobody has finished', () => {
  it('is told after a minute, and not before', async () => {
    const request: ActionRequest = {
      ...{ id: 'cd'.repeat(12), kind: 'hold', run: 1, host: null, item: null, by: 'anna' },
      ...{ via: 'command', reason: 'r', saw: '', hours: null, before: null, awaits: null },
    };
    await world.insertRun(1, null);
    await world.store.actions.request(request);
    asked.noticed();
    await asked.look(true);
    world.laterBy(50);
    await asked.look(true);
    expect((await state(request.id)).state).toBe('requested');
    world.laterBy(20);
    await asked.look(true);
    expect(await state(request.id)).toMatchObject({ state: 'refused' });
  });

  it('an idle host looks rarely while it would be told', async () => {
    let looks = 0;
    const open = world.store.actions.open.bind(world.store.actions);
    world.store.actions.open = () => {
      looks++;
      return open();
    };
    for (let i = 0; i < 60; i++) {
      world.laterBy(10);
      await asked.look(true);
    }
    expect(looks).toBeLessThanOrEqual(3);
  });
});

describe('what another release has written', () => {
  const write = async (fields: Partial<ActionRequest>) => {
    const id = 'ab'.repeat(12);
    await world.store.actions.request({
      ...{ id, by: 'anna', via: 'dashboard', reason: 'why not', saw: 'not drained', hours: null },
      ...{ run: null, host: EB3, item: null, before: null, awaits: EB3 },
      ...({ kind: 'polish' as string, ...fields } as { kind: ActionRequest['kind'] }),
    });
    return id;
  };

  it('an action at a host that this release does not know is refused: it is not taken for a drain', async () => {
    const id = await write({});
    await asked.look(true);
    expect(drained).toBeNull();
    expect(await state(id)).toMatchObject({
      state: 'refused',
      message: expect.stringMatching(/"polish" is no action that this release/) as string,
    });
  });

  it('an action at a run that this release does not know is refused once its asker is gone', async () => {
    const id = await write({ run: 7, host: null, awaits: null });
    await asked.look(true);
    expect(await state(id)).toMatchObject({ state: 'requested' });
    world.laterBy(61);
    await asked.look(true);
    expect(await state(id)).toMatchObject({
      state: 'refused',
      message: expect.stringMatching(/"polish" is no action/) as string,
    });
  });

  it('an action at a run that awaits this host without an attempt is refused, not told as ended', async () => {
    const id = await write({ kind: 'hold', run: 7, host: null });
    await asked.look(true);
    expect(await state(id)).toMatchObject({ state: 'refused' });
  });
});
