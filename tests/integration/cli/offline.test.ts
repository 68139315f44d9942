import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createAttempt } from '../../../src/attempt/files/attempt-directory.ts';
import { planOf } from '../attempt/support.ts';
import { bootstrax, lastJson } from './bundle.ts';

const RUN = {
  number: 12,
  mode: 'tpc_bkg',
  detectors: ['tpc'],
  start: { $date: '2026-01-01T00:00:00Z' },
  end: { $date: '2026-01-01T01:00:00Z' },
  rate: { tpc: { avg: 70, max: 80 } },
  daq_config: { processing_threads: { reader0: 2 } },
  data: [{ type: 'live', host: 'daq', location: '/live' }],
};

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootstrax-cli-'));
  env = { BOOTSTRAX_STATE_DIR: join(folder, 'state'), BOOTSTRAX_HOST: 'eb3.xenon.local' };
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function plan(args: string[], ...documents: unknown[]) {
  const input = documents.map((each) => JSON.stringify(each)).join('\n');
  return bootstrax(['plan', '--doc', '-', '--json', ...args], { env, input });
}

describe('usage', () => {
  it('shows help and answers 0', async () => {
    const { code, stdout } = await bootstrax(['--help']);
    expect(code).toBe(0);
    for (const command of ['run', 'status', 'explain', 'plan', 'db', 'simulate-daq', 'doctor']) {
      expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    }
  });

  it.each([
    [['statsu'], /Did you mean status\?/],
    [['explain'], /missing required argument 'run'\nSee bootstrax explain --help\./],
    [['--frob'], /unknown option '--frob'\nSee bootstrax --help\./],
    [['explain', 'twelve'], /run number/],
    [['plan'], /--doc/],
    [['runs', '--state', 'sleeping'], /Allowed choices are new, considering/],
    [['config', '--outptu', '/x'], /Did you mean --output\?/],
    [['stop'], /say --children/],
    [['plan', '--doc', '-', '--failures', 'many'], /not a number of failures/],
    [['plan', '--doc', '/no/such/file'], /no such file/],
    [['db', 'start', '--port', '99999999'], /not a port number/],
  ])('answers 2 to %j', async (args, message) => {
    const { code, stderr } = await bootstrax(args, { env });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('without a database', () => {
  it.each([['run'], ['status'], ['runs'], ['explain', '1'], ['simulate-daq'], ['process', '1']])(
    '%s answers 2 and says how to name one',
    async (...args) => {
      const { code, stdout, stderr } = await bootstrax(args, { env });
      expect(stderr).toMatch(/no database: set BOOTSTRAX_MONGO_URL/);
      expect(stdout).toBe('');
      expect(code).toBe(2);
    },
  );

  it('says so in JSON where JSON was asked for', async () => {
    const { code, stdout } = await bootstrax(['status', '--json'], { env });
    expect(lastJson(stdout)).toEqual({ error: expect.stringMatching(/^no database/) as string });
    expect(code).toBe(2);
  });

  it('answers 1 where the server does not answer, and names it', async () => {
    const { code, stderr } = await bootstrax(['status', '--database-call-timeout-seconds', '1'], {
      env: { ...env, BOOTSTRAX_MONGO_URL: 'mongodb://127.0.0.1:1' },
    });
    expect(stderr).toMatch(/127\.0\.0\.1:1/);
    expect(code).toBe(1);
  });

  it('has no embedded server to show', async () => {
    const { code, stdout } = await bootstrax(['db', 'status', '--json'], { env });
    expect(lastJson(stdout)).toMatchObject({ running: false, url: null });
    expect(code).toBe(1);
  });

  it('has nothing to stop', async () => {
    const { code, stdout } = await bootstrax(['stop', '--children', '--json'], { env });
    expect(lastJson(stdout)).toMatchObject({ ok: true, stopped: [] });
    expect(code).toBe(0);
  });

  it('knows no logs', async () => {
    const { code, stderr } = await bootstrax(['logs', '3'], { env });
    expect(stderr).toMatch(/no attempt at run 3/);
    expect(code).toBe(1);
  });

  it('shows a log of one line of 60 MB as far as anybody can read it', async () => {
    const stateDir = join(folder, 'wordy');
    const made = planOf();
    const directory = await createAttempt(stateDir, made);
    const file = join(directory, 'log.txt');
    await writeFile(file, `first\n${'x'.repeat(60e6)}`);
    const { code, stdout } = await bootstrax(['logs', String(made.run)], {
      env: { ...env, BOOTSTRAX_STATE_DIR: stateDir },
    });
    expect(code).toBe(0);
    expect(stdout.length).toBeLessThan(11_000);
    expect(stdout).toMatch(/^\[\d+ bytes before this are not shown; see .*log\.txt\]\nx/);
    expect(stdout).toMatch(/x \[\d+ more characters of this line\]$/);
  });
});

describe('config', () => {
  it('shows values and sources, secrets masked', async () => {
    const file = join(folder, 'site.toml');
    await writeFile(file, '[database]\nurl = "mongodb://me:hush@db.lab/"\n[host]\nslots = 2\n');
    await chmod(file, 0o600);
    const { code, stdout } = await bootstrax(
      ['config', '--config', file, '--output', '/out', '--json'],
      { env },
    );
    expect(code).toBe(0);
    expect(stdout).not.toContain('hush');
    const { settings } = lastJson(stdout) as { settings: { setting: string }[] };
    expect(settings).toContainEqual({
      setting: 'host.slots',
      value: 2,
      source: file,
      env: 'BOOTSTRAX_SLOTS',
      flag: '--slots',
    });
    expect(settings).toContainEqual(
      expect.objectContaining({ setting: 'paths.output', value: '/out', source: '--output' }),
    );
    expect(settings).toContainEqual(
      expect.objectContaining({ setting: 'host.name', source: 'BOOTSTRAX_HOST' }),
    );
  });

  it('lists all that is wrong at once and answers 2', async () => {
    const { code, stdout, stderr } = await bootstrax(['config'], {
      env: {
        ...env,
        BOOTSTRAX_SLOTS: 'two',
        BOOTSTRAX_ROLE: 'boss',
        BOOTSTRAX_MONGO_URL: 'mongodb://me:hush@db.lab/',
      },
    });
    expect(stderr).toMatch(
      /host\.slots \(BOOTSTRAX_SLOTS\): found "two", expected a whole number above 0/,
    );
    expect(stderr).toMatch(/host\.role \(BOOTSTRAX_ROLE\)/);
    expect(stderr).toMatch(/database\.url \(BOOTSTRAX_MONGO_URL\): the URL carries a password/);
    expect(stdout + stderr).not.toContain('hush');
    expect(code).toBe(2);
  });

  it('points out variables that mean nothing', async () => {
    const { code, stderr } = await bootstrax(['config'], {
      env: { ...env, BOOTSTRAX_OUTPTU: 'x' },
    });
    expect(stderr).toMatch(/BOOTSTRAX_OUTPTU is no setting.*BOOTSTRAX_OUTPUT\?/);
    expect(code).toBe(0);
  });

  it('has neither colour nor escapes off a terminal', async () => {
    const { stdout } = await bootstrax(['config'], { env });
    expect(stdout).not.toContain('\x1b');
  });
});

describe('plan', () => {
  it('writes the line that scripts rely on', async () => {
    const { code, stdout } = await plan(['--shedding', 'reference'], RUN);
    const line = lastJson(stdout);
    expect(Object.keys(line)).toEqual([
      ...['run', 'targets', 'postProcessing', 'cores', 'maxMessages', 'timeoutSeconds'],
      ...['recordsCompressor', 'reasons'],
    ]);
    expect(line).toMatchObject({
      run: 12,
      targets: ['event_info', 'online_peak_monitor', 'veto_proximity'],
      postProcessing: ['veto_intervals'],
      cores: 24,
      maxMessages: 47,
      timeoutSeconds: 1225,
      recordsCompressor: 'zstd',
    });
    expect(code).toBe(0);
  });

  it('takes failures, host and shedding from the command line', async () => {
    const options = ['--failures', '5', '--host', 'eb0.xenon.local', '--shedding', 'reference'];
    const { stdout } = await plan(options, RUN);
    expect(lastJson(stdout)).toMatchObject({ targets: ['raw_records'], maxMessages: 10 });
  });

  it('says what a run gets after failures for want of memory', async () => {
    const { stdout } = await plan(['--failures', '1', '--memory-failures', '1'], RUN);
    const line = lastJson(stdout) as { reasons: string[] };
    expect(line).toMatchObject({ cores: 10, maxMessages: 21 });
    expect(line.reasons.at(-1)).toMatch(/because it ran out of memory/);
  });

  it('names what is malformed, goes on, and answers 1', async () => {
    const { code, stdout } = await plan([], { ...RUN, detectors: null }, 'not a document', RUN);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toEqual({
      run: 12,
      malformed: [{ field: 'detectors', problem: expect.any(String) as string }],
    });
    expect(lines[1]).toMatchObject({ run: null });
    expect(lines[2]).toMatchObject({ run: 12, recordsCompressor: 'zstd' });
    expect(code).toBe(1);
  });

  it('says when graded shedding has no plugin graph', async () => {
    const { stderr } = await plan([], RUN);
    expect(stderr).toMatch(/graded shedding without the plugin graph/);
  });
});
