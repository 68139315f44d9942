import { readFile, stat } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../../support/lab.ts';
import { type Configuration, smallMachine } from '../../support/small-machine.ts';
import { bootstrax, lastJson } from './bundle.ts';

const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const PATIENCE_MS = 240_000;

describe('without a database', () => {
  // Past the flags it says that there is no database: they were understood.
  it.each([
    ['--production'],
    ['--infer_mode'],
    ['--delete_live'],
    ['--undying'],
    ['--process', '7'],
    ['--fail', '7'],
    ['--fail', '7', 'because it is noisy'],
    ['--abandon', '7'],
    ['--abandon', '7', 'no good'],
    ['--cores', '4'],
    ['--cores', '-1'],
    ['--max_messages', '4'],
    ['--targets', 'peaks', 'records'],
    ['--targets'],
    ['--post_process', 'peaks', 'records'],
    ['--post_process'],
    ['--fix_target'],
    ['--fix_resources'],
    ['--ignore_checks'],
    ['--processor', 'single_thread'],
    ['--profile', 'night'],
    ['--profile', 'false'],
    ['--debug'],
    ['--production', '--infer_mode', '--delete_live', '--undying'],
    ['--test'],
  ])('run %s %s is understood', async (...flags) => {
    const { code, stderr } = await bootstrax(['run', '--production', ...flags], {
      env: { BOOTSTRAX_HOST: 'eb3.xenon.local', BOOTSTRAX_STATE_DIR: '/nonexistent/state' },
    });
    if (flags[0] === '--test') expect(stderr).toContain('--production is not allowed with --test');
    else expect(stderr).toContain('no database');
    expect(code).toBe(2);
  });

  it.each([
    [['--process', '7', '--undying'], /--undying is not allowed with --process/],
    [['--fail', '7', '--process', '8'], /--process is not allowed with --fail/],
    [['--abandon', '7', '--fail', '7'], /--fail is not allowed with --abandon/],
    [['--fail'], /--fail needs a run number/],
    [['--fail', 'seven'], /run number is a whole number/],
    [['--cores', 'many'], /--cores: "many" is not a whole number/],
    [['--cores', '0'], /resources\.fallback\.cores/],
    [['--max_messages'], /--max_messages needs a value/],
    [['--processor', 'fast'], /worker\.processor/],
    [['--profile', '../x'], /worker\.profile/],
    [['--targets=', '--fix_target'], /targets\.default/],
    [['--delete-live', '--test'], /--delete-live is not allowed with --test/],
    [['--unheard_of'], /unknown option/],
  ])('run %j is a usage error', async (flags, message) => {
    const { code, stderr } = await bootstrax(['run', ...flags], {
      env: { BOOTSTRAX_HOST: 'eb3.xenon.local' },
    });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('what needs no flag is said in one line', async () => {
    const env = { BOOTSTRAX_HOST: 'eb3.xenon.local' };
    const { stderr } = await bootstrax(['run', '--production', '--undying'], { env });
    expect(stderr).toMatch(/^bootstrax: --undying: not needed\. .*systemd/m);
  });

  it('without `run` it is said where these flags belong', async () => {
    const { code, stderr } = await bootstrax(['--production', '--infer_mode']);
    expect(stderr).toContain('bootstrax run --production --infer_mode');
    expect(code).toBe(2);
  });
});

describe('with a database', () => {
  let lab: Lab;
  const managers: ManagerProcess[] = [];
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterEach(async () => {
    for (const manager of managers.splice(0)) await manager.kill();
  });
  afterAll(() => lab.end());

  async function start(args: string[], config?: Configuration): Promise<ManagerProcess> {
    const manager = await lab.manager({ args, ...(config === undefined ? {} : { config }) });
    managers.push(manager);
    return manager;
  }

  async function takeRun(): Promise<number> {
    const [number] = await lab.takeRuns(TAKE);
    return number!;
  }

  async function planOf(number: number): Promise<Record<string, unknown>> {
    const attempt = await lab.attempts.findOne({ run: number });
    return attempt!.plan;
  }

  test(
    'the flags shape what a run gets',
    async () => {
      const manager = await start([
        ...[
          '--production',
          '--cores',
          '2',
          '--max_messages',
          '7',
          '--targets',
          'records',
          'peaklets',
        ],
        ...['--post_process', 'peak_basics', '--fix_target', '--fix_resources', '--ignore_checks'],
        ...['--processor', 'single_thread', '--profile', 'night', '--debug', '--undying'],
      ]);
      const number = await takeRun();
      await lab.runs.updateOne({ number }, { $set: { mode: 'pmtgain' } as never });
      const run = await lab.reached(number, ['done', 'failed']);
      expect(run.bootstrax.reason).toBeUndefined();
      expect(await planOf(number)).toMatchObject({
        targets: ['records', 'peaklets'],
        postProcessing: ['peak_basics'],
        cores: 2,
        maxMessages: 7,
        timeoutSeconds: 60,
        processor: 'single_thread',
        profile: 'night',
        debug: true,
      });
      await manager.event('attempt.ended', { run: number });
      const logs = lastJson((await lab.command(['logs', String(number), '--json'])).stdout);
      expect(String(logs['profile'])).toMatch(/run\d{6}_night\.prof$/);
      expect((await stat(String(logs['profile']))).size).toBeGreaterThan(0);
      expect(logs['text']).toContain('DEBUG');
      const sign = await lab.client
        .db(lab.daqDb)
        .collection('eb_monitor')
        .findOne({ run_id: String(number).padStart(6, '0') }, { sort: { _id: -1 } });
      expect(sign).toMatchObject({ state: 'busy', max_cores: 2, max_messages: 7 });
      expect(sign).toHaveProperty('targets');
      expect(sign).toHaveProperty('cores');
    },
    PATIENCE_MS,
  );

  test(
    '--infer_mode: the data rate decides again',
    async () => {
      await start(['--production', '--cores', '2', '--max_messages', '7', '--infer_mode']);
      const number = await takeRun();
      await lab.reached(number, ['done']);
      expect(await planOf(number)).toMatchObject({ cores: 1, maxMessages: 4 });
    },
    PATIENCE_MS,
  );

  test(
    '--ignore_checks: what fails them is done all the same, loudly',
    async () => {
      const number = await takeRun();
      // An hour longer than its data.
      const { start: begin } = await lab.run(number);
      await lab.runs.updateOne(
        { number },
        { $set: { end: new Date(begin.getTime() + 3_600_000) } },
      );
      const strict = await start(['--production'], smallMachine({ retry: { baseSeconds: 600 } }));
      const failed = await lab.reached(number, ['failed']);
      expect(failed.bootstrax.reason).toContain('they must differ by less than');
      await strict.kill();
      const manager = await start(['--production', '--ignore_checks']);
      await lab.command(['retry', String(number)]);
      await lab.reached(number, ['done']);
      await manager.event('checks.ignored', { run: number });
      const log = lab.client.db(lab.daqDb).collection('log');
      expect(
        await log.findOne({ runid: number, message: { $regex: 'checks .* are ignored' } }),
      ).toMatchObject({ priority: 2 });
    },
    PATIENCE_MS,
  );

  test(
    '--fail and --abandon write the reason, and need none',
    async () => {
      const log = lab.client.db(lab.daqDb).collection('log');
      const number = await takeRun();
      const act = (...flags: string[]) => lab.command(['run', '--production', ...flags]);
      expect((await act('--fail', String(number))).code).toBe(0);
      expect((await lab.run(number)).bootstrax).toMatchObject({ state: 'failed', n_failures: 1 });
      expect((await act('--fail', String(number), 'too', 'noisy')).code).toBe(0);
      const { bootstrax: failed } = await lab.run(number);
      expect(failed).toMatchObject({ state: 'failed', n_failures: 2 });
      expect(failed.reason).toContain('too noisy');
      expect(failed.next_retry).toBeInstanceOf(Date);
      expect((await act('--abandon', String(number), '--', '-- no good')).code).not.toBe(2);
      expect((await act('--abandon', String(number), 'no good')).code).toBe(0);
      const { bootstrax: abandoned } = await lab.run(number);
      expect(abandoned.state).toBe('abandoned');
      expect(abandoned.reason).toContain('no good');
      for (const [about, priority] of [
        ['New failure', 2],
        ['Repeated failure', 1],
      ] as const) {
        const told = await log.findOne({ runid: number, message: { $regex: `^${about}` } });
        expect(told).toMatchObject({ priority });
      }
      expect((await act('--fail', '99999')).code).toBe(1);
    },
    PATIENCE_MS,
  );

  test(
    '--process: one run in the foreground, then the end; not if it is done',
    async () => {
      const [first, second] = await lab.takeRuns(['--runs', '2', ...TAKE]);
      const once = () => lab.command(['run', '--production', '--process', String(first)]);
      const { code, stderr } = await once();
      expect(code, stderr).toBe(0);
      expect((await lab.run(first!)).bootstrax.state).toBe('done');
      expect((await lab.run(second!)).bootstrax.state).toBeNull();
      const again = await once();
      expect(again.code).toBe(1);
      expect(again.stdout).toContain(`run ${first} is done`);
    },
    PATIENCE_MS,
  );

  test(
    '--delete_live sets the deletion of live data',
    async () => {
      const { code, stdout } = await lab.command(['config', '--delete-live', '--json']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/"deletion"|deletion\.live_data/);
      await start(['--production', '--delete_live']);
      const number = await takeRun();
      await lab.reached(number, ['done']);
      await until('the live data to be deleted', async () => {
        const { data } = await lab.run(number);
        return data.every(({ type }) => type !== 'live');
      });
    },
    PATIENCE_MS,
  );

  test('every flag of the reference is in the table of the documentation', async () => {
    const { REFERENCE_FLAGS } = await import('../../../src/cli/framework/reference-flags.ts');
    const text = await readFile('docs/migration.md', 'utf8');
    const missing = Object.keys(REFERENCE_FLAGS).filter((flag) => !text.includes(`| \`${flag}`));
    expect(missing).toEqual([]);
  });
});
