import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { SessionAnswer } from '../../../../src/dashboard/access/session-api.ts';
import type {
  ActionBody,
  ActionsAnswer,
  ActionView,
  AuditAnswer,
  PreviewAnswer,
  PreviewBody,
} from '../../../../src/readmodel/action-api.ts';
import type { RunAnswer } from '../../../../src/readmodel/api.ts';
import { DashboardProcess } from '../../../support/dashboard.ts';
import { Lab, type ManagerProcess, until } from '../../../support/lab.ts';

const HOST = 'alpha.test.local';
const STOP_SECONDS = 10;

let lab: Lab;
let manager: ManagerProcess;
let dashboard: DashboardProcess;
let csrf: string;

// One machine and one after the other: what an action leaves is what the next one finds.
beforeAll(async () => {
  lab = await Lab.start();
  manager = await lab.manager();
  await manager.event('manager.ready');
  dashboard = await DashboardProcess.start(lab);
  csrf = (await dashboard.json<SessionAnswer>('/api/session')).csrf ?? '';
});
afterAll(async () => {
  await dashboard?.end();
  await lab?.end();
});

async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await fetch(new URL(path, dashboard.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-bootstrax-csrf': csrf },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** As a person does it: look, then press. */
async function act(
  kind: ActionBody['kind'],
  target: { run: number } | { host: string },
  hours?: number,
) {
  const wish: PreviewBody = { kind, targets: [target] };
  const { effects } = await post<PreviewAnswer>('/api/actions/preview', wish);
  expect(effects).toMatchObject([{ ...target, possible: true }]);
  return asked(kind, { ...target, seen: effects[0]!.seen }, hours);
}

async function asked(
  kind: ActionBody['kind'],
  target: ActionBody['targets'][number],
  hours?: number,
): Promise<ActionView> {
  const { actions } = await post<ActionsAnswer>('/api/actions', {
    ...{ kind, reason: 'because <b>of it</b>', targets: [target] },
    ...(hours === undefined ? {} : { hours }),
  });
  expect(actions).toHaveLength(1);
  return actions[0]!;
}

/** The action once it is in this state. */
function become(id: string, state: ActionView['state']): Promise<ActionView> {
  return until(`action ${id} to be ${state}`, async () => {
    const { actions } = await dashboard.json<AuditAnswer>('/api/actions?limit=200');
    return actions.find((each) => each.id === id && each.state === state);
  });
}

const failed = (number: number) => ({
  ...{ number, mode: 'tpc_bkg', detectors: ['tpc'], start: new Date(0), end: new Date(1000) },
  daq_config: { processing_threads: { reader0: 2 } },
  data: [{ type: 'live', host: 'daq', location: lab.live }],
  bootstrax: {
    ...{ state: 'failed', host: HOST, time: new Date(), n_failures: 3, reason: 'x' },
    next_retry: new Date(Date.now() + 3_600_000),
  },
});

test('a busy run that is abandoned stops within 10 s, and its host says so', async () => {
  const taking = lab.takeRuns(['--seconds', '15', '--speed', '1', '--chunk-seconds', '2']);
  const started = await manager.event('attempt.started');
  const run = started['run'] as number;
  const begun = performance.now();
  const action = await act('abandon', { run });
  expect(action.state).not.toBe('refused');
  const done = await become(action.id, 'done');
  expect((performance.now() - begun) / 1000).toBeLessThan(STOP_SECONDS);
  expect(done).toMatchObject({
    ...{ run, reason: 'because <b>of it</b>', via: 'dashboard', seenBy: { host: HOST } },
    before: { state: 'busy', host: HOST, attempt: started['attempt'] },
    after: { state: 'abandoned' },
    message: `Run ${run} is abandoned; its attempt on ${HOST} has ended: no process of it is left.`,
  });
  const attempts = join(lab.stateDir(HOST), 'attempts');
  const file = join(attempts, String(started['attempt']), 'exit.json');
  expect(existsSync(file) || !existsSync(join(attempts, String(started['attempt'])))).toBe(true);
  expect((await lab.run(run)).bootstrax.state).toBe('abandoned');
  const { actions } = await dashboard.json<RunAnswer>(`/api/runs/${run}`);
  expect(actions).toEqual([done]);
  await taking;
});

test('of two people at once one is first, and the other is told what has changed', async () => {
  await lab.insertRuns(failed(5000));
  const { row } = await dashboard.json<RunAnswer>('/api/runs/5000');
  const target = { run: 5000, seen: row.seen };
  const answers = await Promise.all([asked('hold', target), asked('abandon', target)]);
  const held = answers[0].state === 'done';
  // To hold a run changes what others have seen of it, and so does to abandon it.
  expect(answers.map(({ state }) => state).sort()).toEqual(['done', 'refused']);
  expect(answers[held ? 1 : 0].message).toMatch(/changed/);
  const { bootstrax, tags } = await lab.run(5000);
  expect({ state: bootstrax.state, held: tags !== undefined }).toEqual({
    ...{ state: held ? 'failed' : 'abandoned', held },
  });
});

test('a run is reprocessed with its present products kept, and only reprocess can keep them', async () => {
  await lab.insertRuns({ ...failed(5010), tags: [{ name: 'hold-processing' }] });
  const targets = [{ run: 5010 }];
  const effectOf = async (keep: boolean) => {
    const wish: PreviewBody = { kind: 'reprocess', targets, keep };
    return (await post<PreviewAnswer>('/api/actions/preview', wish)).effects[0]!;
  };
  expect((await effectOf(false)).effect).not.toMatch(/stay/);
  const { effect, seen } = await effectOf(true);
  expect(effect).toMatch(/stay until the new ones are there/);
  const body = { reason: 'x', targets: [{ run: 5010, seen }], keep: true };
  await expect(post('/api/actions', { ...body, kind: 'retry' })).rejects.toThrow(
    /400 .*keep is for/,
  );
  const { actions } = await post<ActionsAnswer>('/api/actions', { ...body, kind: 'reprocess' });
  expect(actions[0]?.state).toBe('done');
  const { bootstrax } = await lab.run(5010);
  expect(bootstrax).toMatchObject({ n_failures: 0, keep_products: expect.anything() as unknown });
});

test('many runs at once, each by itself', async () => {
  await lab.insertRuns(failed(5001), failed(5002), failed(5003));
  const targets = [5001, 5002, 5003].map((run) => ({ run }));
  const { effects } = await post<PreviewAnswer>('/api/actions/preview', { kind: 'hold', targets });
  await lab.runs.updateOne({ number: 5002 }, { $set: { 'bootstrax.n_failures': 4 } });
  const { actions } = await post<ActionsAnswer>('/api/actions', {
    ...{ kind: 'hold', reason: 'r' },
    targets: effects.map(({ run, seen }) => ({ run, seen })),
  });
  expect(actions.map(({ run, state }) => [run, state])).toEqual([
    [5001, 'done'],
    [5002, 'refused'],
    [5003, 'done'],
  ]);
  expect(dashboard.log).toMatch(/dashboard\.action/);
});

test('a host is drained from elsewhere for some hours, and undrained', async () => {
  const drain = await become((await act('drain', { host: HOST }, 2)).id, 'done');
  expect(drain).toMatchObject({ host: HOST, seenBy: { host: HOST }, after: { drained: {} } });
  const hours = (Date.parse(drain.expires!) - Date.parse(drain.requested)) / 3_600_000;
  expect(hours).toBeCloseTo(2, 3);
  const document = await until('the host to say that it is drained', () =>
    lab.runsDatabase.collection('bootstrax').findOne({ host: HOST, why_not_kind: 'drained' }),
  );
  expect(document).toMatchObject({ accepting: false, why_not: /because <b>of it<\/b> \(until / });
  // Who has not seen that it is drained does not end it.
  expect(await asked('undrain', { host: HOST, seen: 'not drained' })).toMatchObject({
    ...{ state: 'refused', message: /changed meanwhile/ },
  });
  await become((await act('undrain', { host: HOST })).id, 'done');
  await until('the host to take runs', () =>
    lab.runsDatabase.collection('bootstrax').findOne({ host: HOST, accepting: true }),
  );
});

test('the command line does the same, and is in the same audit', async () => {
  // Of another host, but at this machine: the manager is told to look.
  const elsewhere = {
    ...{ host: 'beta.test.local', env: { BOOTSTRAX_STATE_DIR: lab.stateDir(HOST) } },
  };
  const { code, stdout } = await lab.command(
    ['drain', '--host', HOST, '--reason', 'disks', '--json'],
    elsewhere,
  );
  expect({ code, ...(JSON.parse(stdout) as object) }, stdout).toMatchObject({
    ...{ code: 0, ok: true, state: 'done' },
  });
  const back = await lab.command(['undrain', '--host', HOST], elsewhere);
  expect(back).toMatchObject({ code: 0, stdout: 'runs are taken again\n' });
  const listed = await lab.command(['actions', '--host', HOST]);
  expect(listed.stdout).toMatch(/drain +alpha\.test\.local +disks +done/);
  expect((await lab.command(['drain', '--host', 'nobody'])).code).toBe(1);
});

test('while a host is silent it stays requested; what nobody could finish is told when it is back', async () => {
  await manager.kill();
  const action = await act('drain', { host: HOST });
  const crash = { env: { BOOTSTRAX_CRASH_AT: 'runs.retry:before' } };
  expect((await lab.command(['retry', '5003', 'now'], crash)).stderr).toMatch(/killed here/);
  const { actions } = await dashboard.json<AuditAnswer>('/api/actions?run=5003');
  expect(actions[0]).toMatchObject({ kind: 'retry', state: 'requested', reason: 'now' });
  expect((await become(action.id, 'requested')).seenBy).toBeNull();
  // As if that had been two minutes ago.
  const requested = new Date(Date.now() - 120_000);
  await lab.runsDatabase
    .collection('bootstrax_actions')
    .updateMany({ run: 5003, state: 'requested' }, { $set: { requested } });
  manager = await lab.manager();
  await become(action.id, 'done');
  const refused = await become(actions[0]!.id, 'refused');
  expect(refused.message).toMatch(/nothing was changed; request it again/);
  expect((await lab.run(5003)).bootstrax).not.toHaveProperty('outcome');
});
