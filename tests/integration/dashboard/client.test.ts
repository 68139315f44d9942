import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ACTION_KINDS } from '../../../src/features/actions/action-table.pure.ts';
import { CONDITIONS } from '../../../src/readmodel/run-condition.pure.ts';
import { addAccount } from '../../support/accounts.ts';
import { DashboardProcess } from '../../support/dashboard.ts';
import { Lab, PACKAGE, PYTHON, until } from '../../support/lab.ts';

const NOW = Date.now();
const ago = (seconds: number) => new Date(NOW - seconds * 1000);
const HOST = 'alpha.test.local';
const ATTEMPT = 'ab'.repeat(12);
const FAR_ATTEMPT = 'cd'.repeat(12);
const PASSWORD = 'anna acts herself';
const DONE = { state: 'done', host: 'beta', time: ago(10), plan: { targets: ['a'], dropped: [] } };

function run(number: number, bootstrax: object, more: object = {}) {
  return {
    ...{ number, start: ago(4000 - number), end: ago(3900 - number), mode: 'radon' },
    ...{ detectors: ['tpc'], tags: [], rate: { tpc: { avg: 1.5, max: 2 } } },
    daq_config: { processing_threads: { r: 1 }, db_password: 'geheim', strax_chunk_length: 5 },
    data: [{ type: 'live', host: 'daq', location: `/live/${number}` }],
    bootstrax,
    ...more,
  };
}

let lab: Lab;
let dashboard: DashboardProcess;

beforeAll(async () => {
  lab = await Lab.start();
  await lab.insertRuns(
    ...Array.from({ length: 60 }, (_, i) => run(i + 1, DONE)),
    run(61, { ...DONE, plan: { targets: ['a'], dropped: ['b'] } }),
    run(62, {
      ...{ state: 'failed', host: 'beta', time: ago(9), n_failures: 10, outcome: 'given_up' },
      ...{ reason: 'beta:\nboom\nTraceback', next_retry: ago(5) },
    }),
    run(63, {}, { tags: [{ name: 'hold-processing', user: 'anna', date: ago(1) }] }),
    run(64, {}, { mode: 'led' }),
  );
  const attempt = {
    ...{ run: 62, failures: 9, started: ago(60), ended: ago(30) },
    plan: { targets: ['a'], postProcessing: [], dropped: ['b'], cores: 2, reasons: ['why'] },
    result: {
      ...{ outcome: 'given_up', counted: true, reason: 'boom', fingerprint: 'f1', plugin: 'a' },
      ...{ cause: 'strax_error', traceback: 'tb', seconds: 30, versions: { strax: '2' } },
    },
  };
  await lab.attempts.insertMany([
    { ...attempt, _id: FAR_ATTEMPT, host: 'beta', started: ago(90), ended: ago(70) },
    { ...attempt, _id: ATTEMPT, host: HOST },
  ] as never);
  await lab.runsDatabase.collection('bootstrax').insertOne({
    ...{ host: 'beta', state: 'idle', time: new Date(), role: 'primary', slots: 1 },
    ...{ accepting: true, runs: [], thinking: 'waiting for runs' },
  });
  const folder = join(lab.stateDir(HOST), 'attempts', ATTEMPT);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'log.txt'), 'the first line\nthe last line\n');
  await writeFile(join(folder, 'concluded'), '');
  await addAccount(lab, 'anna', 'operator', PASSWORD);
  await addAccount(lab, 'vera', 'viewer', PASSWORD);
  dashboard = await DashboardProcess.start(lab, { BOOTSTRAX_DASHBOARD_LOGIN: 'true' });
});
afterAll(async () => {
  await dashboard?.end();
  await lab?.end();
});

/** A Python process without any package but the client; it begins with a `dashboard` of anna's. */
class Script {
  output = '';
  errors = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown[]>;

  constructor(code: string, user = 'anna') {
    const start = [
      ...['import sys', `sys.path.insert(0, ${JSON.stringify(join(PACKAGE, 'client'))})`],
      'from bootstrax_client import *',
      `dashboard = Dashboard(${JSON.stringify(dashboard.url)}, name=${JSON.stringify(user)}, password=${JSON.stringify(PASSWORD)}, retry_seconds=60)`,
    ];
    this.#child = spawn(PYTHON, ['-I', '-S', '-u', '-c', `${start.join('\n')}\n${code}`], {
      env: { ...process.env, PASSWORD },
    });
    this.#child.stdout.on('data', (piece: Buffer) => (this.output += piece.toString()));
    this.#child.stderr.on('data', (piece: Buffer) => (this.errors += piece.toString()));
    this.#ended = once(this.#child, 'close');
  }

  async says(text: string): Promise<void> {
    await until(`the script to say ${text}`, () => {
      if (this.#child.exitCode !== null && !this.output.includes(text)) {
        throw new Error(`it ended: ${this.output}${this.errors}`);
      }
      return this.output.includes(text);
    });
  }

  /** What it has printed, once it has ended without an error. */
  async end(): Promise<string> {
    const [code] = await this.#ended;
    expect(code, this.errors).toBe(0);
    return this.output;
  }
}

const printed = (code: string, user?: string) => new Script(code, user).end();

/** The error that the code raises, as `Name: message`. */
const raised = (code: string, user?: string) =>
  printed(
    `try:\n    ${code}\nexcept BootstraxError as error:\n    print(type(error).__name__ + ": " + str(error))\nelse:\n    print("nothing")`,
    user,
  );

describe('what the client reads', () => {
  it('it has the words of the dashboard for conditions and actions', async () => {
    const words = await printed(
      'import json, typing\nprint(json.dumps([typing.get_args(Condition), typing.get_args(ActionKind)]))',
    );
    expect(JSON.parse(words)).toEqual([CONDITIONS, ACTION_KINDS]);
  });

  it('it reads all pages of the list of runs, or the number that was asked for', async () => {
    const code = (query: string) => `print([each.run for each in dashboard.runs(${query})])`;
    const numbers = async (query: string) => JSON.parse(await printed(code(query))) as number[];
    expect(await numbers('condition="given_up"')).toEqual([62]);
    expect(await numbers('first=3, last=7, most=3')).toEqual([7, 6, 5]);
    expect(await numbers('condition="done"')).toHaveLength(60);
  });

  it('a run comes with its explanation, attempts, data and times', async () => {
    const text = await printed(
      [
        'run = dashboard.run(62)',
        'print(run.condition, run.row.failures, run.row.start.isoformat(), run.row.detectors)',
        'print([each.attempt for each in run.attempts], run.attempts[0].versions, run.data[0].location)',
        'print(run.explanation)',
      ].join('\n'),
    );
    expect(text).toContain(
      `given_up 10 ${ago(4000 - 62)
        .toISOString()
        .slice(0, 19)}`,
    );
    expect(text).toContain(`['${FAR_ATTEMPT}', '${ATTEMPT}'] {'strax': '2'} /live/62`);
    expect(text).toContain('run 62: givenUp');
  });

  it('hosts, attention, failures, handover, document and report are read', async () => {
    const text = await printed(
      [
        'print([(each.host, each.condition) for each in dashboard.hosts()])',
        'print([(each.kind, each.run) for each in dashboard.attention()])',
        'print([(each.fingerprint, each.runs) for each in dashboard.failures()])',
        'print(dashboard.handover().splitlines()[0])',
        'print(dashboard.document(62)["daq_config"]["db_password"], dashboard.report(62)["report"])',
        'print(len(dashboard.host_history("beta").at))',
        'print(dashboard.schema()["openapi"])',
      ].join('\n'),
    );
    expect(text).toContain("[('beta', 'idle')]");
    expect(text).toContain("('given_up', 62)");
    expect(text).toContain("[('f1', [62])]");
    expect(text).toContain('*** 1');
    expect(text).toContain('3.1.0');
  });

  it('the log of an attempt is read, and followed to its end', async () => {
    const text = await printed(
      `print(repr(dashboard.log("${ATTEMPT}", lines=1)))\nprint(list(dashboard.follow_log("${ATTEMPT}")))`,
    );
    expect(text).toContain("'the last line\\n'");
    expect(text).toContain("['the first line\\nthe last line\\n']");
    expect(await raised(`dashboard.log("${FAR_ATTEMPT}")`)).toContain('NotFound: the files of');
  });

  it('a refusal is an error of its own class with the sentence of the dashboard', async () => {
    expect(await raised('dashboard.run(99999)')).toContain('NotFound: there is no run 99999');
    expect(await raised('list(dashboard.runs(mode="\\0"))')).toContain(
      'RequestNotUnderstood: mode',
    );
    const url = JSON.stringify(dashboard.url);
    expect(await raised(`Dashboard(${url}).run(1)`)).toContain(
      'NotLoggedIn: log in first: give Dashboard(...) name and password',
    );
    expect(await raised(`Dashboard(${url}, name="anna", password="x").run(1)`)).toContain(
      'NotLoggedIn: name or password is not right',
    );
  });
});

describe('waiting for a run', () => {
  it('ends when the run is done, also if it did not exist at first', async () => {
    const waiting = new Script(
      'print("asked", flush=True)\nprint(dashboard.wait_for_run(70, timeout_seconds=300).condition)',
    );
    await waiting.says('asked');
    await lab.insertRuns(run(70, {}));
    await lab.runs.updateOne({ number: 70 }, { $set: { bootstrax: DONE as never } });
    expect(await waiting.end()).toBe('asked\ndone\n');
  });

  it('ends at once with the reason if the run will not become done', async () => {
    expect(await raised('dashboard.wait_for_run(62, timeout_seconds=300)')).toMatch(
      /^RunEndedOtherwise: run 62 is given up at beta: boom\. It will not become done by itself/,
    );
    expect(await raised('dashboard.wait_for_run(61, timeout_seconds=300)')).toContain('dropped: b');
    expect(
      await raised('dashboard.wait_for_run(61, ("done", "debt"), timeout_seconds=300)'),
    ).toContain('nothing');
  });

  it('says in which state the run still is when the time is over', async () => {
    expect(await raised('dashboard.wait_for_run(64, timeout_seconds=0.1)')).toMatch(
      /^RunTimeout: run 64 is new, and not done after 0.1 s/,
    );
    expect(await raised('dashboard.wait_for_run(98, timeout_seconds=0.1)')).toContain(
      'there is no run 98 after 0.1 s',
    );
  });

  it('outlives a restart of the dashboard', async () => {
    await lab.insertRuns(run(71, {}));
    const waiting = new Script(
      'print("asked", flush=True)\nprint(dashboard.wait_for_run(71, timeout_seconds=300).condition)',
    );
    await waiting.says('asked');
    const { port } = new URL(dashboard.url);
    await dashboard.end();
    await lab.runs.updateOne({ number: 71 }, { $set: { bootstrax: DONE as never } });
    const reading = new Script('print(dashboard.run(1).condition)');
    dashboard = await DashboardProcess.start(
      lab,
      { BOOTSTRAX_DASHBOARD_LOGIN: 'true' },
      Number(port),
    );
    expect(await waiting.end()).toBe('asked\ndone\n');
    expect(await reading.end()).toBe('done\n');
  });
});

describe('an action', () => {
  it('is carried out as it was seen, with its reason, and is in the audit', async () => {
    await lab.insertRuns(run(80, {}));
    const text = await printed(
      [
        'preview = dashboard.preview("hold", run=80)',
        'print(preview.possible, preview)',
        'print([each.state for each in dashboard.act(preview, reason="a loose cable")])',
        'print([(each.by, each.reason) for each in dashboard.actions(run=80)])',
        'print(dashboard.wait_for_action(next(dashboard.actions(run=80)), timeout_seconds=9).state)',
      ].join('\n'),
    );
    expect(text).toContain('True hold run 80: ');
    expect(text).toContain("['done']\n[('anna', 'a loose cable')]\ndone\n");
    expect((await lab.run(80))['tags']).toMatchObject([{ name: 'hold-processing' }]);
  });

  it('is refused when its run has changed since the preview; the others are carried out', async () => {
    await lab.insertRuns(run(81, {}), run(82, {}));
    const acting = new Script(
      [
        'preview = dashboard.preview("hold", runs=[81, 82])',
        'print("seen", flush=True)',
        'import time',
        'while dashboard.run(81).condition == "new": time.sleep(0.05)',
        'try:',
        '    dashboard.act(preview, reason="a loose cable")',
        'except ActionRefused as error:',
        '    print(error, [each.state for each in error.actions])',
      ].join('\n'),
    );
    await acting.says('seen');
    await lab.runs.updateOne({ number: 81 }, { $set: { bootstrax: DONE as never } });
    const text = await acting.end();
    expect(text).toContain('hold was refused: run 81: ');
    expect(text).toContain('At 1 other target it was carried out. Make a new preview');
    expect(text).toContain("['refused', 'done']");
  });

  it('is not sent if it is not possible, has no reason, or is not for this person', async () => {
    const act = (kind: string, number: number, reason: string) =>
      `dashboard.act(dashboard.preview("${kind}", run=${number}), reason="${reason}")`;
    const before = await lab.runsDatabase.collection('bootstrax_actions').countDocuments();
    expect(await raised(act('retry', 1, 'why not'))).toMatch(
      /^ActionNotPossible: retry is not possible: run 1: /,
    );
    expect(
      await printed(
        `try:\n    ${act('hold', 1, ' ')}\nexcept ValueError as error:\n    print(error)`,
      ),
    ).toContain('an action needs a reason');
    expect(await raised('dashboard.preview("hold", run=1)', 'vera')).toBe(
      'NotAllowed: vera may look, but not act: that is for operators\n',
    );
    expect(await lab.runsDatabase.collection('bootstrax_actions').countDocuments()).toBe(before);
  });

  it('that its host does not carry out ends the wait with an error', async () => {
    const text = await raised(
      'dashboard.wait_for_action(dashboard.act(dashboard.preview("drain", host="beta"), "new disk")[0], timeout_seconds=0.1)',
    );
    expect(text).toMatch(
      /^ActionTimeout: drain host beta is not carried out after 0.1 s: its host/,
    );
  });
});

describe('the examples of docs/python-client.md', () => {
  const blocks = async (language: string) => {
    const text = await readFile(join(PACKAGE, 'docs/python-client.md'), 'utf8');
    const found = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))];
    return found.map(([, code]) => code).join('\n');
  };
  const here = (code: string) =>
    code.replaceAll('http://127.0.0.1:8580', dashboard.url.replace(/\/$/, ''));

  it('in Python work as they are written', async () => {
    const text = await printed(here(await blocks('python')));
    expect(text).toContain('62 radon 10 boom');
    expect(text).toContain('the last line');
    expect(text).toContain('done: [');
    expect((await lab.run(63))['tags']).not.toMatchObject([{ name: 'hold-processing' }]);
  });

  it('for curl work as they are written', async () => {
    const code = here(await blocks('sh'));
    const child = spawn('bash', ['-euo', 'pipefail', '-c', code], {
      cwd: lab.root,
      env: { ...process.env, PASSWORD },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (piece: Buffer) => (output += piece.toString()));
    }
    const [exit] = (await once(child, 'close')) as [number | null];
    expect(exit, output).toBe(0);
    expect((await lab.run(64))['tags']).toMatchObject([{ name: 'hold-processing' }]);
  });
});
