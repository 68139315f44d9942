import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Lab } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

let lab: Lab;
let folder: string;
let failed: number;

beforeAll(async () => {
  lab = await Lab.start();
  folder = await mkdtemp(join(tmpdir(), 'bootstrax-report-'));
  const manager = await lab.manager({
    // Long enough for the run to stay as it is.
    config: smallMachine({
      retry: { baseSeconds: 3600 },
      worker: { contextOptions: { fail_in: 'peak_basics' } },
    }),
  });
  await manager.event('manager.ready');
  [failed = 0] = await lab.takeRuns(['--runs', '1', '--seconds', '2', '--speed', '0']);
  await lab.reached(failed, ['failed']);
  await manager.kill();
});

afterAll(async () => {
  await lab.end();
  await rm(folder, { recursive: true, force: true });
});

interface Report {
  host: string;
  versions: Record<string, string>;
  configuration: { settings: { setting: string; value: unknown }[] };
  doctor: Record<string, { check: string }[]>;
  logs: Record<string, string>;
  database: {
    unavailable?: string;
    hosts: { host: string }[];
    run: {
      unavailable?: string;
      document: { number: number; bootstrax: { state: string } };
      explain: { run: number; verdict: string };
      sameNumber: { document: { number: number }; explain: { document: string } }[];
      history: { result: { traceback: string } }[];
    };
  };
  attemptsOnThisHost: { plan: { run: number }; texts: Record<string, string> }[];
}

async function report(...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await lab.command(['report', '--json', ...args]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Report;
}

describe('bootstrax report', () => {
  it('tells all about a failed run', async () => {
    const { host, versions, configuration, doctor, logs, database, attemptsOnThisHost } =
      await report(String(failed));
    expect(host).toBe('alpha.test.local');
    expect(versions).toMatchObject({ node: process.version });
    expect(configuration.settings.map(({ setting }) => setting)).toContain('paths.output');
    expect(doctor['host']?.map(({ check }) => check)).toContain('state folder');
    expect(doctor['database']?.map(({ check }) => check)).toContain('eb_monitor');
    expect(doctor['python']?.map(({ check }) => check)).toContain('python');
    expect(logs['worker.log']).toBeTypeOf('string');
    expect(database.hosts.map((each) => each.host)).toEqual(['alpha.test.local']);
    const { document, explain, history } = database.run;
    expect(document).toMatchObject({ number: failed, bootstrax: { state: 'failed' } });
    expect(explain).toMatchObject({ run: failed, verdict: 'waiting' });
    expect(history[0]?.result.traceback).toContain('AskedToFail');
    expect(attemptsOnThisHost[0]?.plan.run).toBe(failed);
    expect(attemptsOnThisHost[0]?.texts['log.txt']).toContain('AskedToFail');
  });

  it('writes a file that only its owner can read', async () => {
    const file = join(folder, 'report.json');
    const { code, stdout } = await lab.command(['report', String(failed), '--out', file]);
    expect(code).toBe(0);
    expect(stdout).toContain(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { database } = JSON.parse(await readFile(file, 'utf8')) as Report;
    expect(database.run.document.number).toBe(failed);
    expect(stdout).toMatch(/read it before you send it/);
    const nowhere = await lab.command(['report', '--out', join(folder, 'no/such/folder.json')]);
    expect(nowhere.code).toBe(2);
  });

  it('brings every document of a number that several have', async () => {
    const { _id: _, ...document } = await lab.run(failed);
    const [id] = await lab.insertRuns(document);
    try {
      const { run } = (await report(String(failed))).database;
      expect(run.document.number).toBe(failed);
      expect(run.sameNumber).toMatchObject([
        { document: { number: failed }, explain: { run: failed, document: String(id) } },
      ]);
      expect(run.history).toHaveLength(1);
    } finally {
      await lab.runs.deleteOne({ _id: id! });
    }
  });

  it('says what cannot be had, and brings the rest', async () => {
    const unknown = await report('999999');
    expect(unknown.database.run).toEqual({ unavailable: 'there is no run 999999' });
    expect(unknown.database.hosts).toHaveLength(1);
    expect(unknown.attemptsOnThisHost).toEqual([]);

    const { code, stdout } = await lab.command(['report', String(failed), '--json'], {
      env: { BOOTSTRAX_MONGO_URL: 'mongodb://127.0.0.1:1/' },
    });
    expect(code).toBe(0);
    const silent = JSON.parse(stdout) as Report;
    expect(silent.database.unavailable).toContain('127.0.0.1:1');
    expect(silent.attemptsOnThisHost).toHaveLength(1);
  });
});
