import { request } from 'node:http';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import type { SessionAnswer } from '../../../src/dashboard/access/session-api.ts';
import type {
  FailuresAnswer,
  HandoverAnswer,
  HostHistoryAnswer,
  RunAnswer,
  RunsAnswer,
} from '../../../src/readmodel/api.ts';
import {
  PANEL_GROUPS,
  type PanelEvent,
  panelsOf,
  type StatusEvent,
} from '../../../src/readmodel/panels/registry.ts';
import { addAccount } from '../../support/accounts.ts';
import { DashboardProcess, EventReader } from '../../support/dashboard.ts';
import { Lab, until } from '../../support/lab.ts';

const NOW = Date.now();
const ago = (seconds: number) => new Date(NOW - seconds * 1000);
const ATTEMPT = 'ab'.repeat(12);

function run(number: number, bootstrax: object, more: object = {}) {
  return {
    ...{ number, start: ago(4000 - number), end: ago(3900 - number), mode: 'radon' },
    ...{ detectors: ['tpc'], tags: [], rate: { tpc: { avg: 1, max: 2 } } },
    daq_config: { processing_threads: { r: 1 }, db_password: 'geheim', strax_chunk_length: 5 },
    data: [{ type: 'live', host: 'daq', location: `/live/${number}` }],
    bootstrax,
    ...more,
  };
}

/** As the site's other programs write them; the last of each is not as it should be. */
const NOTES = {
  tags: [{ name: 'pmttrip', user: 'anna', date: ago(3) }, { user: 'anna' }],
  comments: [
    { user: 'berta', date: ago(1), comment: '<b>later</b>' },
    { user: 'anna', date: ago(2), comment: 'earlier' },
    'nothing',
  ],
};

let lab: Lab;
let dashboard: DashboardProcess;

beforeAll(async () => {
  lab = await Lab.start();
  const done = {
    state: 'done',
    host: 'beta',
    time: ago(10),
    plan: { targets: ['a'], dropped: [] },
  };
  await lab.insertRuns(
    ...Array.from({ length: 60 }, (_, i) => run(i + 1, done)),
    run(61, { ...done, plan: { targets: ['a'], dropped: ['b'] } }),
    run(
      62,
      {
        ...{ state: 'failed', host: 'beta', time: ago(9), n_failures: 10, outcome: 'given_up' },
        ...{ reason: 'beta:\n<script>alert(1)</script>\nTraceback', next_retry: ago(5) },
      },
      NOTES,
    ),
    run(63, {}, { tags: [{ name: 'hold-processing', user: 'anna', date: ago(1) }] }),
    run(64, {}, { mode: 'led', end: null, start: ago(20) }),
    run(65, {}, { detectors: 'none', bootstrax: { state: 'failed', outcome: 'set_aside' } }),
  );
  await lab.attempts.insertOne({
    ...{ _id: ATTEMPT, run: 62, host: 'beta', failures: 9, started: ago(60), ended: ago(30) },
    plan: { targets: ['a'], postProcessing: ['c'], dropped: ['b'], cores: 2, reasons: ['why'] },
    result: {
      ...{ outcome: 'given_up', counted: true, reason: 'boom', fingerprint: 'f1', plugin: 'a' },
      ...{ cause: 'strax_error', traceback: 'tb', seconds: 30, versions: { strax: '2' } },
    },
  } as never);
  await lab.runsDatabase.collection('bootstrax').insertOne({
    ...{ host: 'beta', state: 'idle', time: new Date(), role: 'primary', slots: 1 },
    ...{ accepting: true, runs: [], thinking: 'waiting for runs' },
  });
  const daq = lab.client.db(lab.daqDb);
  await daq.collection('eb_monitor').insertMany(
    Array.from({ length: 20 }, (_, i) => ({
      ...{ host: 'beta', time: ago(i * 9), cpu_percent: i, memory_percent: 50 },
      ...{ swap_percent: 0, disk_used: 70, targets: ['a'] },
    })),
  );
  dashboard = await DashboardProcess.start(lab);
});
afterAll(async () => {
  await dashboard?.end();
  await lab?.end();
});

describe('the pages', () => {
  test.each(['/', '/runs', '/runs/62', '/hosts', '/failures'])('%s is served', async (path) => {
    const answer = await dashboard.get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/html');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(await answer.text()).not.toMatch(/(src|href)="https?:/);
  });

  it('everything comes from the server itself', async () => {
    const page = await (await dashboard.get('/')).text();
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
    expect(addresses.length).toBeGreaterThan(2);
    for (const address of addresses) {
      const answer = await dashboard.get(address);
      expect(answer.status, address).toBe(200);
      expect(await answer.text()).not.toMatch(/url\(["']?https?:|from"https?:|import\("https?:/);
    }
  });

  test.each([
    ['/api/nothing', 404],
    ['/assets/../../package.json', 404],
    ['/%2e%2e/package.json', 404],
    ['/assets/%2e%2e%2f%2e%2e%2fpackage.json', 404],
    ['/api/runs/99999', 404],
    ['/api/runs/abc', 400],
    ['/api/runs/1?x=1', 400],
    ['/api/runs?condition=$ne', 400],
    ['/api/runs?mode[$ne]=1', 400],
    ['/api/runs?from=1&from=2', 200],
    ['/api/attempts/..%2f..%2fetc/log', 400],
    [`/api/attempts/${ATTEMPT}/log`, 404],
    [`/api/attempts/${ATTEMPT}/progress`, 404],
    ['/api/hosts/beta/history?hours=999', 400],
    ['/api/failures?days=2', 400],
    ['/api/handover?hours=9', 400],
  ])('%s is answered with %i', async (path, status) => {
    const answer = await dashboard.get(path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-security-policy')).toBeTruthy();
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('nothing can be written: %s', async (method) => {
    const { csrf } = await dashboard.json<SessionAnswer>('/api/session');
    const headers = { 'x-bootstrax-csrf': csrf ?? '' };
    const answer = await fetch(new URL('/api/runs/1', dashboard.url), { method, headers });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET');
  });

  it('a page of another name that points here reads nothing', async () => {
    const { port } = new URL(dashboard.url);
    const status = await new Promise((resolve, reject) => {
      request(
        { host: '127.0.0.1', port, path: '/api/runs', headers: { host: 'evil.org' } },
        (answer) => resolve(answer.statusCode),
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });
});

describe('the list of runs', () => {
  const numbers = async (query: string) =>
    (await dashboard.json<RunsAnswer>(`/api/runs?${query}`)).runs.map(({ run: number }) => number);

  test.each([
    ['condition=given_up', [62]],
    ['condition=debt', [61]],
    ['condition=held', [63]],
    ['condition=new', [64]],
    ['condition=set_aside', [65]],
    ['mode=led', [64]],
    ['tag=hold-processing', [63]],
    ['host=beta&from=60&to=61', [61, 60]],
    ['detector=muon_veto', []],
    ['mode=%7B%22%24gt%22%3A%22%22%7D', []],
  ])('%s', async (query, expected) => {
    expect(await numbers(query)).toEqual(expected);
  });

  it('goes on where the page before ended, until the end', async () => {
    const seen: (number | null)[] = [];
    for (let before: number | null = null, page = 0; page < 10; page++) {
      const answer: RunsAnswer = await dashboard.json<RunsAnswer>(
        `/api/runs?limit=20${before === null ? '' : `&before=${before}`}`,
      );
      seen.push(...answer.runs.map(({ run: number }) => number));
      before = answer.before;
      if (before === null) break;
    }
    expect(seen).toEqual(Array.from({ length: 65 }, (_, i) => 65 - i));
  });
});

it('a run is explained, with its attempts, ladder and data', async () => {
  const answer = await dashboard.json<RunAnswer>('/api/runs/62');
  expect(answer.row).toMatchObject({ run: 62, condition: 'given_up', failures: 10 });
  const { code, stdout } = await lab.command(['explain', '62', '--json']);
  expect(code).toBe(0);
  const told = JSON.parse(stdout) as { verdict: string; commands: string[] };
  expect(answer.explanation.verdict).toBe(told.verdict);
  expect(answer.explanation.commands).toEqual(told.commands);
  expect(answer.explanation.seenFrom).toBe('beta');
  expect(answer.attempts).toHaveLength(1);
  expect(answer.attempts[0]).toMatchObject({ attempt: ATTEMPT, rung: 9, filesHere: false });
  expect(answer.ladder).toEqual([
    { type: 'a', steps: ['culprit'], storedOn: [] },
    { type: 'c', steps: ['asked'], storedOn: [] },
    { type: 'b', steps: ['dropped'], storedOn: [] },
  ]);
  expect(answer.data).toEqual([{ type: 'live', host: 'daq', location: '/live/62' }]);
});

it('what people wrote at a run comes as text, oldest first', async () => {
  const { tags, comments } = await dashboard.json<RunAnswer>('/api/runs/62');
  expect(tags).toEqual([{ text: 'pmttrip', by: 'anna', at: ago(3).toISOString() }]);
  expect(comments).toEqual([
    { text: 'earlier', by: 'anna', at: ago(2).toISOString() },
    { text: '<b>later</b>', by: 'berta', at: ago(1).toISOString() },
  ]);
});

it('a bug report about a run is a file without secrets', async () => {
  const answer = await dashboard.get('/api/report?run=62');
  expect(answer.headers.get('content-disposition')).toBe(
    'attachment; filename="bootstrax-report-run-62.json"',
  );
  const text = await answer.text();
  expect(text).not.toContain('geheim');
  const { database, versions } = JSON.parse(text) as {
    versions: { bootstrax: string };
    database: { hosts: { host: string }[]; run: { documents: object[]; about: RunAnswer } };
  };
  expect(versions.bootstrax).toMatch(/^\d+\.\d+/);
  expect(database.hosts.map(({ host }) => host)).toEqual(['beta']);
  expect(database.run.documents).toMatchObject([{ number: 62 }]);
  expect(database.run.about.attempts).toMatchObject([{ attempt: ATTEMPT }]);
  expect((await dashboard.get('/api/report?run=99999')).status).toBe(404);
  expect((await dashboard.get('/api/report')).status).toBe(400);
});

it('the raw document is whole, but for its passwords', async () => {
  const { text } = await dashboard.json<{ text: string }>('/api/runs/62/document');
  expect(text).not.toContain('geheim');
  expect(JSON.parse(text)).toMatchObject({ number: 62, daq_config: { db_password: '***' } });
});

it('a malformed run is shown like any other', async () => {
  const answer = await dashboard.json<RunAnswer>('/api/runs/65');
  expect(answer.row.condition).toBe('set_aside');
  expect(answer.explanation.verdict).toBe('malformed');
});

it('failures are grouped, heartbeats are curves', async () => {
  const { groups } = await dashboard.json<FailuresAnswer>('/api/failures');
  expect(groups).toMatchObject([{ fingerprint: 'f1', count: 1, runs: [62], hosts: ['beta'] }]);
  const history = await dashboard.json<HostHistoryAnswer>('/api/hosts/beta/history?hours=1');
  expect(history.at).toHaveLength(20);
  expect(history.cpu.at(-1)).toBe(0);
});

it('of a host that says very much the newest is shown', async () => {
  const nowMs = Date.now();
  const signs = Array.from({ length: 700 }, (_, i) => {
    const time = new Date(nowMs - (700 - i) * 5000);
    return { host: 'chatty', time, state: 'busy', cpu_percent: i };
  });
  await lab.client.db(lab.daqDb).collection('eb_monitor').insertMany(signs);
  const { at, cpu } = await dashboard.json<HostHistoryAnswer>('/api/hosts/chatty/history?hours=1');
  expect(cpu.at(-1)).toBe(699);
  expect(at).toEqual(at.toSorted((a, b) => a - b));
});

it('the handover shows what needs attention and what failed', async () => {
  const { hours, text } = await dashboard.json<HandoverAnswer>('/api/handover');
  expect(hours).toBe(8);
  expect(text).toContain('NEEDS ATTENTION');
  expect(text).toMatch(/^- Run 62 is given up/m);
  expect(text).toMatch(/^- .*\(runs 62; on beta\)$/m);
});

describe('the stream', () => {
  const panelOf = (name: string) => (event: { event: string; data: unknown }) =>
    event.event === 'panel' && (event.data as PanelEvent).panel === name;
  let reader: EventReader;
  beforeAll(() => {
    reader = new EventReader(new URL('/api/stream', dashboard.url));
  });
  afterAll(() => reader.stop());

  it('tells every panel once, with its age', async () => {
    const names = PANEL_GROUPS.flatMap(panelsOf);
    for (const name of names) {
      const told = await reader.next(`panel ${name}`, panelOf(name));
      expect((told.data as PanelEvent).staleAfterSeconds, name).toBeGreaterThan(0);
    }
    const { data } = await reader.next(
      'all ages',
      ({ event, data: status }) =>
        event === 'status' && Object.keys((status as StatusEvent).ages).length === names.length,
    );
    for (const age of Object.values((data as StatusEvent).ages)) expect(age).toBeLessThan(120);
  });

  it('says what needs attention', async () => {
    const { data } = await reader.next('attention', panelOf('attention'));
    const items = (data as PanelEvent<'attention'>).data;
    expect(items.map(({ kind, run: number }) => [kind, number])).toEqual([
      ['given_up', 62],
      ['set_aside', 65],
    ]);
  });

  it('tells of a change within a second, and which run it was', async () => {
    const seconds: number[] = [];
    for (const number of [66, 67, 68, 69, 70]) {
      const from = reader.events.length;
      const begun = performance.now();
      const [id] = await lab.insertRuns(run(number, {}, { end: null, start: new Date() }));
      await reader.next(
        `run ${number} in the strip`,
        (event) =>
          panelOf('strip')(event) &&
          (event.data as PanelEvent<'strip'>).data.some((cell) => cell.run === number),
        from,
      );
      seconds.push((performance.now() - begun) / 1000);
      await reader.next(
        `the id of run ${number}`,
        ({ event, data }) =>
          event === 'changed' &&
          ((data as { ids: string[] | null }).ids ?? []).includes(String(id)),
        from,
      );
    }
    // The machine may be busy with other tests for a moment.
    expect(seconds.sort((a, b) => a - b)[2], seconds.join(', ')).toBeLessThan(1);
  });

  it('resumes: what was seen is not told again', async () => {
    const last = await until('an id', () => reader.events.findLast(({ id }) => id !== null)?.id);
    const again = new EventReader(new URL('/api/stream', dashboard.url), last);
    try {
      await again.next('a status', ({ event }) => event === 'status');
      expect(again.events.filter(panelOf('plots'))).toEqual([]);
      expect(again.events.filter(panelOf('attention'))).toEqual([]);
    } finally {
      again.stop();
    }
  });
});

describe('where it is served', () => {
  it('not on an address that others can reach: nobody could be asked who he is', async () => {
    const { code, stderr } = await lab.command(['dashboard', '--address', '0.0.0.0']);
    expect(code).toBe(2);
    expect(stderr).toContain('needs users');
    expect(stderr).toContain('ssh -L');
  });

  it('there with somebody who can log in', async () => {
    await addAccount(lab, 'anna', 'viewer', 'anna looks on');
    const open = await DashboardProcess.start(lab, { BOOTSTRAX_DASHBOARD_ADDRESS: '0.0.0.0' });
    try {
      const { port } = new URL(open.url);
      const address = `http://127.0.0.1:${port}`;
      expect((await fetch(`${address}/api/runs`)).status).toBe(401);
      expect((await fetch(`${address}/`)).status).toBe(200);
    } finally {
      await open.end();
    }
  });

  it('on loopback to the one whose process asks, but not through an unknown proxy', async () => {
    const { username } = userInfo();
    const session = await dashboard.json<SessionAnswer>('/api/session');
    expect(session).toMatchObject({ name: username, role: 'operator', via: 'loopback' });
    const pretended = await dashboard.get('/api/session', { 'x-forwarded-user': 'otto' });
    expect(await pretended.json()).toEqual(session);
    for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host']) {
      expect((await dashboard.get('/api/runs', { [name]: '10.0.0.9' })).status, name).toBe(401);
    }
  });

  it('not twice on one port', async () => {
    const { port } = new URL(dashboard.url);
    const { code, stderr } = await lab.command(['dashboard', '--port', port]);
    expect(code).toBe(2);
    expect(stderr).toContain('is taken');
  });
});
