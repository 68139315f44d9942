import { afterAll, beforeAll, expect, it } from 'vitest';

import type { ActionRequest, ActionStore } from '../../../../src/features/actions/action.port.ts';
import type { Open, TestStore } from './opened.ts';
import { EB3, newAttempt } from './run-documents.ts';

let count = 0;
const requestOf = (more: Partial<ActionRequest> = {}): ActionRequest => ({
  ...{ id: newAttempt(), kind: 'hold', run: 1000 + count++, host: null, item: null },
  ...{ by: '$by', via: 'dashboard', reason: 'see $$ROOT', saw: 'new, $seen', hours: null },
  ...{ before: { $state: '$null' }, awaits: null },
  ...more,
});

/** The audit of actions, and acknowledgements. */
export function actionsContract(open: Open): void {
  let test: TestStore;
  let actions: ActionStore;
  beforeAll(async () => {
    test = await open();
    ({ actions } = test.store);
  });
  afterAll(() => test.close());

  it('are requested once, seen and done', async () => {
    const request = requestOf({ awaits: EB3 });
    await actions.request(request);
    const stored = await actions.get(request.id);
    expect(stored).toEqual({
      ...request,
      ...{ state: 'requested', requested: expect.any(Date) as Date, seenBy: null, ended: null },
      ...{ message: null, expires: null, after: null, attempt: null },
    });
    await actions.seen(request.id, EB3);
    await actions.request(request);
    expect(await actions.get(request.id)).toEqual({
      ...stored,
      ...{ state: 'seen', seenBy: { host: EB3, at: expect.any(Date) as Date } },
    });
    const expires = new Date('2030-01-01T00:00:00Z');
    await actions.done(request.id, { message: '$done', after: { $a: 1 }, expires, host: EB3 });
    const done = await actions.get(request.id);
    expect(done).toMatchObject({ state: 'done', message: '$done', after: { $a: 1 }, expires });
    expect(done?.ended).toBeInstanceOf(Date);
    await actions.refuse(request.id, 'too late');
    await actions.seen(request.id, 'eb9');
    await actions.done(request.id, { message: 'again' });
    expect(await actions.get(request.id)).toEqual(done);
  });

  it('are refused, unless whoever asked knows better', async () => {
    const { id } = await requested();
    await actions.refuse(id, '$why');
    expect(await actions.get(id)).toMatchObject({ state: 'refused', message: '$why' });
    await actions.done(id, { message: 'it was only slow', expires: { hours: 2 } });
    const { state, requested: at, expires } = (await actions.get(id))!;
    expect(state).toBe('done');
    expect((expires!.getTime() - at.getTime()) / 3_600_000).toBeCloseTo(2, 1);
  });

  it('wait for a host and its attempt', async () => {
    const { id } = await requested();
    const attempt = newAttempt();
    await actions.awaitHost(id, { host: EB3, attempt, message: 'm', after: null });
    expect((await actions.open()).find((each) => each.id === id)).toMatchObject({
      ...{ state: 'requested', awaits: EB3, attempt, message: 'm' },
    });
    await actions.refuse(id, 'no', EB3);
    expect((await actions.open()).filter((each) => each.id === id)).toEqual([]);
  });

  it('are listed newest first, page by page, of all or of one', async () => {
    const made = [];
    for (const host of ['eb1', 'eb2', 'eb1']) made.push(await requested({ run: null, host }));
    made.reverse();
    const ids = made.map(({ id }) => id);
    const listed = async (query: Parameters<ActionStore['list']>[0]) =>
      (await actions.list(query)).map(({ id }) => id);
    expect((await listed({ limit: 3 })).sort()).toEqual([...ids].sort());
    const [newest] = await actions.list({ limit: 1 });
    const before = { requested: newest!.requested, id: newest!.id };
    const rest = await listed({ limit: 2, before });
    expect([newest!.id, ...rest].sort()).toEqual([...ids].sort());
    expect((await listed({ host: 'eb1', limit: 5 })).sort()).toEqual([ids[0]!, ids[2]!].sort());
    const item = await requested({ run: null, item: 'given_up:7' });
    expect(await listed({ item: 'given_up:7', limit: 5 })).toEqual([item.id]);
    const run = await requested();
    expect(await listed({ run: run.run!, limit: 5 })).toEqual([run.id]);
  });

  it('acknowledge an item once, then only in place of what is there', async () => {
    const item = 'failure:$x.y';
    const by = (action: string, replaces: string | null) =>
      actions.acknowledge(
        { item, action, occurrence: '$o', by: '$anna', reason: 'r', hours: 1 },
        replaces,
      );
    expect(await by('a', null)).toBe('landed');
    expect(await by('a', null)).toBe('landed');
    expect(await by('b', null)).toBe('changed');
    expect(await by('b', 'x')).toBe('changed');
    expect(await by('b', 'a')).toBe('landed');
    const [standing] = (await actions.standing()).filter((each) => each.item === item);
    expect(standing).toMatchObject({ action: 'b', occurrence: '$o', by: '$anna', reason: 'r' });
    expect(Date.parse(standing!.expires!) - Date.parse(standing!.at)).toBe(3_600_000);
  });

  it('are told of when they are new and when they change', async () => {
    const stop = new AbortController();
    let hints = 0;
    const ended = actions.watch(() => hints++, stop.signal);
    await expect.poll(() => hints).toBe(1);
    // The stream is open only when it has told of something.
    const probe = await requested();
    await expect
      .poll(async () => {
        await requested();
        return hints;
      })
      .toBeGreaterThan(1);
    const before = hints;
    await actions.done(probe.id, { message: 'm' });
    await expect.poll(() => hints).toBeGreaterThan(before);
    stop.abort();
    expect(await ended).toBe('aborted');
  });

  async function requested(more: Partial<ActionRequest> = {}): Promise<ActionRequest> {
    const request = requestOf(more);
    await actions.request(request);
    return request;
  }
}
