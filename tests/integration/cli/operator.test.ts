import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Lab } from '../../support/lab.ts';
import { lastJson } from './bundle.ts';

const HOST = 'alpha.test.local';

let lab: Lab;
let count = 100;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(async () => {
  await lab.end();
});

/** Inserts a run that has ended, with this in its `bootstrax`; answers its number. */
async function insert(bootstrax: Record<string, unknown>, fields = {}): Promise<number> {
  const number = count++;
  await lab.insertRuns({
    number,
    mode: 'tpc_bkg',
    detectors: ['tpc'],
    start: new Date('2026-01-01T00:00:00Z'),
    end: new Date('2026-01-01T01:00:00Z'),
    daq_config: { processing_threads: { reader0: 2 } },
    data: [{ type: 'live', host: 'daq', location: lab.live }],
    bootstrax,
    ...fields,
  });
  return number;
}

async function json(...args: string[]): Promise<{ code: number; said: Record<string, unknown> }> {
  const { code, stdout, stderr } = await lab.command([...args, '--json']);
  if (stdout === '') throw new Error(`nothing said (${code}): ${stderr}`);
  return { code, said: lastJson(stdout) };
}

const failed = (failures: number) => ({
  state: 'failed',
  host: 'beta.test.local',
  time: new Date(),
  n_failures: failures,
  next_retry: new Date(Date.now() + 3_600_000),
  reason: 'beta.test.local:\nit broke\n',
});

describe('explain and next', () => {
  it('say what would happen to a new run, and to a held one', async () => {
    const run = await insert({ state: null });
    expect((await json('explain', String(run))).said).toMatchObject({
      run,
      state: null,
      verdict: 'eligible',
      next: {
        what: 'once a manager is started, it is claimed (no manager has ever sent a heartbeat)',
        at: null,
        who: null,
      },
    });
    expect((await json('hold', String(run))).said).toMatchObject({ run, ok: true });
    expect((await json('explain', String(run))).said).toMatchObject({ verdict: 'held' });
    const { said } = await json('next');
    expect(said['passedOver']).toContainEqual({
      run,
      why: expect.stringMatching(/hold/) as string,
    });
    await json('release', String(run));
    expect((await json('next')).said['runs']).toContainEqual({ run, why: 'a new run' });
    expect(await lab.run(run)).toMatchObject({ tags: [], bootstrax: { state: null } });
  });

  it('answer 1 about a run that does not exist', async () => {
    const { code, stderr } = await lab.command(['explain', '999999']);
    expect(stderr).toMatch(/there is no run 999999/);
    expect(code).toBe(1);
  });
});

describe('fail, retry, abandon', () => {
  it('count a failure, with the reason, and set the time of the next try', async () => {
    const run = await insert(failed(1));
    expect((await json('fail', String(run), 'bad', 'gains')).code).toBe(0);
    const { bootstrax } = await lab.run(run);
    expect(bootstrax).toMatchObject({ state: 'failed', n_failures: 2, host: HOST });
    expect(bootstrax.reason).toMatch(/bad gains/);
    expect(bootstrax.next_retry).toBeInstanceOf(Date);
  });

  it.each(['fail', 'retry'])(
    '%s leaves a done run alone, unless all of it is said',
    async (verb) => {
      const run = await insert({ state: 'done', host: HOST, n_failures: 1 });
      for (const [args, code, says] of [
        [['bad', 'gains'], 1, /bootstrax reprocess \d+/],
        [['--even-done', '--yes'], 1, /give a reason/],
        [['--even-done', 'bad', 'gains'], 2, /are deleted, .* say --yes/],
      ] as const) {
        const answer = await lab.command([verb, String(run), ...args]);
        expect(answer.stderr).toMatch(says);
        expect(answer.code).toBe(code);
        expect((await lab.run(run)).bootstrax).toMatchObject({ state: 'done' });
      }
      await json(verb, String(run), '--even-done', '--yes', 'bad', 'gains');
      expect((await lab.run(run)).bootstrax).toMatchObject({ state: 'failed' });
    },
  );

  it.each([[['bad', 'gains']], [['--reason', 'bad gains']], [['bad', '--reason', 'gains']]])(
    'take a reason as words or as an option: %j',
    async (given) => {
      const run = await insert(failed(1));
      await json('hold', String(run), ...given);
      const { actions } = (await json('actions', '--run', String(run))).said;
      expect(actions).toMatchObject([{ kind: 'hold', reason: 'bad gains' }]);
    },
  );

  it('give a run up at the tenth failure', async () => {
    const run = await insert(failed(9));
    const { said } = await json('fail', String(run));
    expect(said['message']).toMatch(/given up/);
    expect((await lab.run(run)).bootstrax).toMatchObject({ n_failures: 10, outcome: 'given_up' });
    expect(await json('retry', String(run))).toMatchObject({ code: 1 });
    expect((await json('retry', String(run), '--from-start')).code).toBe(0);
    expect((await lab.run(run)).bootstrax.n_failures).toBe(0);
  });

  it('make a failed run due, and keep its count', async () => {
    const run = await insert(failed(3));
    expect((await json('explain', String(run))).said).toMatchObject({ verdict: 'waiting' });
    await json('retry', String(run));
    expect((await lab.run(run)).bootstrax).toMatchObject({ state: 'failed', n_failures: 3 });
    expect((await json('explain', String(run))).said).toMatchObject({ verdict: 'eligible' });
  });

  it('leave a busy run to be failed first, and do not retry a new one', async () => {
    const busy = await insert({ state: 'busy', host: 'beta.test.local', time: new Date() });
    const fresh = await insert({ state: null });
    for (const [run, why] of [
      [busy, /being processed/],
      [fresh, /is new/],
    ] as const) {
      const { code, stderr } = await lab.command(['retry', String(run)]);
      expect(stderr).toMatch(why);
      expect(code).toBe(1);
    }
    await json('abandon', String(busy), 'useless');
    expect((await lab.run(busy)).bootstrax).toMatchObject({ state: 'abandoned' });
    expect((await json('explain', String(busy))).said).toMatchObject({ verdict: 'abandoned' });
  });
});

describe('runs, hosts, status', () => {
  it('list runs by state, newest number first, page by page', async () => {
    const numbers = [await insert(failed(1)), await insert(failed(1)), await insert(failed(1))];
    const range = ['--from', String(numbers[0]), '--state', 'failed'];
    const first = (await json('runs', ...range, '--limit', '2')).said as {
      runs: { run: number }[];
      before: number;
    };
    expect(first.runs.map(({ run }) => run)).toEqual([numbers[2], numbers[1]]);
    const second = (await json('runs', ...range, '--before', String(first.before))).said;
    expect(second).toMatchObject({ runs: [{ run: numbers[0], state: 'failed', failures: 1 }] });
    const { stdout } = await lab.command(['runs', ...range]);
    expect(stdout).toMatch(/failed .*next try .* it broke/);
  });

  it('show hosts and queue', async () => {
    await lab.runsDatabase.collection('bootstrax').insertOne({
      host: 'beta.test.local',
      state: 'busy',
      time: new Date(),
      accepting: false,
      why_not: 'the disk is full',
      runs: [4],
    });
    const { said } = await json('status');
    expect(said).toMatchObject({
      hosts: [{ host: 'beta.test.local', state: 'busy', whyNot: 'the disk is full', runs: [4] }],
      queue: { new: expect.any(Number) as number, held: expect.any(Number) as number },
    });
    const { stdout } = await lab.command(['hosts']);
    expect(stdout).toMatch(/beta\.test\.local +busy .*the disk is full/);
  });
});

it('process says that no manager runs', async () => {
  const run = await insert({ state: null });
  const { code, stderr } = await lab.command(['process', String(run)]);
  expect(stderr).toMatch(/no manager runs for alpha\.test\.local/);
  expect(code).toBe(1);
});

it('doctor says what keeps the worker from its context', async () => {
  const { code, stdout } = await lab.command(['doctor', '--json'], {
    context: 'no.such.module:context',
  });
  expect(code).toBe(1);
  expect((lastJson(stdout)['checks'] as unknown[]).flat()).toContainEqual(
    expect.objectContaining({
      check: 'context',
      state: 'problem',
      says: expect.stringMatching(/No module named 'no'/) as string,
    }),
  );
});

it('doctor looks at everything and changes nothing', async () => {
  const { code, said } = await json('doctor');
  const checks = said['checks'] as { check: string; state: string; says: string }[];
  const states = Object.fromEntries(checks.map(({ check, state }) => [check, state]));
  expect(states).toMatchObject({
    'host name': 'ok',
    'output folder': 'ok',
    'live data': 'ok',
    'state folder': 'ok',
    disk: 'ok',
    python: 'ok',
    context: 'ok',
    database: 'ok',
    'change stream': 'ok',
    privileges: 'ok',
    clock: 'ok',
    indexes: 'ok',
  });
  expect({ code, ok: said['ok'] }).toEqual({ code: 0, ok: true });
});
