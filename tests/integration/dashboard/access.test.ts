import { readdir, readFile, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import type { SessionAnswer } from '../../../src/dashboard/access/session-api.ts';
import {
  addAccount,
  type Login,
  logIn,
  userCommand,
  userCommandTyped,
} from '../../support/accounts.ts';
import { DashboardProcess, EventReader } from '../../support/dashboard.ts';
import { Lab, until } from '../../support/lab.ts';

const ATTEMPT = 'ab'.repeat(12);
const PASSWORDS = { vera: 'vera looks on', olga: 'olga acts herself' };
const HOST = 'alpha.test.local';

/** Everything that somebody can ask for: nothing else may be added without a line here. */
const ROUTES: Record<string, { path?: string; body?: unknown; for: 'anybody' | 'read' | 'act' }> = {
  'GET /api/session': { for: 'anybody' },
  'POST /api/session': { for: 'anybody', body: {} },
  'DELETE /api/session': { for: 'anybody' },
  'GET /api/stream': { for: 'read' },
  'GET /api/runs': { for: 'read' },
  'GET /api/runs/{run}': { for: 'read', path: '/api/runs/1' },
  'GET /api/runs/{run}/document': { for: 'read', path: '/api/runs/1/document' },
  'GET /api/attempts/{attempt}/progress': {
    ...{ for: 'read', path: `/api/attempts/${ATTEMPT}/progress` },
  },
  'GET /api/attempts/{attempt}/pictures': {
    ...{ for: 'read', path: `/api/attempts/${ATTEMPT}/pictures` },
  },
  'GET /api/attempts/{attempt}/log': { for: 'read', path: `/api/attempts/${ATTEMPT}/log` },
  'GET /api/hosts/{host}/history': { for: 'read', path: '/api/hosts/beta/history' },
  'GET /api/failures': { for: 'read' },
  'GET /api/handover': { for: 'read' },
  'GET /api/report': { for: 'read', path: '/api/report?run=1' },
  'GET /api/schema': { for: 'read' },
  'GET /api/actions': { for: 'read' },
  'POST /api/actions/preview': { for: 'act', body: { kind: 'hold', targets: [{ run: 1 }] } },
  'POST /api/actions': {
    for: 'act',
    body: { kind: 'hold', reason: 'why not', targets: [{ run: 1, seen: 'something else' }] },
  },
  'GET /metrics': { for: 'read' },
  'GET /healthz': { for: 'anybody' },
};

/** Who asks, by what they send along. */
type Sent = Record<string, string>;
const SINGLE_SIGN_ON = {
  stranger: { 'x-forwarded-user': 'stefan' },
  viewer: { 'x-forwarded-user': 'vincent', 'x-forwarded-groups': 'staff, shifters' },
  operator: { 'x-forwarded-user': 'otto' },
};

let lab: Lab;
let dashboard: DashboardProcess;
let vera: Login;
let olga: Login;
const environment = {
  BOOTSTRAX_DASHBOARD_LOGIN: 'true',
  BOOTSTRAX_DASHBOARD_HOST_NAMES: 'runs.example.org',
  BOOTSTRAX_DASHBOARD_PROXY_ADDRESSES: '127.0.0.0/8',
  BOOTSTRAX_DASHBOARD_PROXY_OPERATORS: 'otto',
  BOOTSTRAX_DASHBOARD_PROXY_VIEWER_GROUPS: 'shifters',
};

beforeAll(async () => {
  lab = await Lab.start();
  await lab.insertRuns({
    ...{ number: 1, start: new Date(), end: null, mode: 'radon', detectors: ['tpc'], tags: [] },
    ...{ rate: {}, daq_config: {}, data: [], bootstrax: {} },
  });
  await addAccount(lab, 'vera', 'viewer', PASSWORDS.vera);
  await addAccount(lab, 'olga', 'operator', PASSWORDS.olga);
  dashboard = await DashboardProcess.start(lab, environment);
  vera = (await logIn(dashboard, 'vera', PASSWORDS.vera)).login;
  olga = (await logIn(dashboard, 'olga', PASSWORDS.olga)).login;
});
afterAll(async () => {
  await dashboard?.end();
  await lab?.end();
});

async function ask(
  method: string,
  path: string,
  sent: Sent,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  const controller = new AbortController();
  const answer = await fetch(new URL(path, dashboard.url), {
    method,
    signal: controller.signal,
    headers: { ...sent, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const isStream = answer.headers.get('content-type') === 'text/event-stream';
  const text = isStream ? '' : await answer.text();
  controller.abort();
  return { status: answer.status, text };
}

/** The address is sent as it is written here. */
function askRaw(
  method: string,
  path: string,
  headers: Sent,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(dashboard.url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (piece: Buffer) => (text += piece.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });
}

async function tokenOf(sent: Sent): Promise<string> {
  const { text } = await ask('GET', '/api/session', sent);
  return (JSON.parse(text) as SessionAnswer).csrf ?? '';
}

describe('every route for everybody', () => {
  it('is in the table', async () => {
    const { text } = await ask('GET', '/api/schema', { cookie: vera.cookie });
    const { paths } = JSON.parse(text) as { paths: Record<string, object> };
    const known = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(known.sort()).toEqual(Object.keys(ROUTES).sort());
  });

  const PEOPLE: Record<string, { sent: () => Promise<Sent> | Sent; may: string[]; not: number }> = {
    nobody: { sent: () => ({}), may: ['anybody'], not: 401 },
    'an invented session': {
      sent: () => ({ cookie: `${vera.cookie.split('=')[0]}=${'A'.repeat(43)}` }),
      ...{ may: ['anybody'], not: 401 },
    },
    'a viewer': {
      sent: () => ({ cookie: vera.cookie, 'x-bootstrax-csrf': vera.csrf }),
      ...{ may: ['anybody', 'read'], not: 403 },
    },
    'an operator': {
      sent: () => ({ cookie: olga.cookie, 'x-bootstrax-csrf': olga.csrf }),
      ...{ may: ['anybody', 'read', 'act'], not: 403 },
    },
    'an operator without the token of a page': {
      sent: () => ({ cookie: olga.cookie }),
      ...{ may: ['anybody', 'read'], not: 403 },
    },
    'an operator with the token of somebody else': {
      sent: () => ({ cookie: olga.cookie, 'x-bootstrax-csrf': vera.csrf }),
      ...{ may: ['anybody', 'read'], not: 403 },
    },
    'a stranger of the single sign-on': {
      sent: () => SINGLE_SIGN_ON.stranger,
      ...{ may: ['anybody'], not: 403 },
    },
    'a viewer of the single sign-on': {
      sent: async () => ({
        ...SINGLE_SIGN_ON.viewer,
        'x-bootstrax-csrf': await tokenOf(SINGLE_SIGN_ON.viewer),
      }),
      ...{ may: ['anybody', 'read'], not: 403 },
    },
    'an operator of the single sign-on': {
      sent: async () => ({
        ...SINGLE_SIGN_ON.operator,
        'x-bootstrax-csrf': await tokenOf(SINGLE_SIGN_ON.operator),
      }),
      ...{ may: ['anybody', 'read', 'act'], not: 403 },
    },
  };
  /** Of those who may: what their requests are worth. */
  const GRANTED = [200, 400, 404];

  test.each(
    Object.keys(PEOPLE).flatMap((who) => Object.keys(ROUTES).map((name) => [who, name] as const)),
  )('%s: %s', async (who, name) => {
    const [method = '', described = ''] = name.split(' ');
    const { path = described, body, for: whom } = ROUTES[name]!;
    const { sent, may, not } = PEOPLE[who]!;
    // Its own logout would end what the other cases need; it has a test of its own.
    const headers = method === 'DELETE' ? {} : await sent();
    const { status, text } = await ask(method, path, headers, body);
    if (may.includes(whom)) expect(GRANTED, text).toContain(status);
    else expect(status, text).toBe(not);
  });

  test.each(['PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS', 'PROPFIND'])(
    'what is not known changes nothing: %s',
    async (method) => {
      for (const path of ['/', '/healthz', '/metrics', '/api', '/api/x', '/api/runs/1', '//api']) {
        expect((await askRaw(method, path, {})).status, path).toBe(401);
        expect((await askRaw(method, path, { cookie: vera.cookie })).status, path).toBe(403);
        const sent = { cookie: olga.cookie, 'x-bootstrax-csrf': olga.csrf };
        expect([404, 405], path).toContain((await askRaw(method, path, sent)).status);
      }
    },
  );

  test.each([
    ...['/%61pi/runs', '/api%2fruns', '//api/runs', '/API/runs', '/x/../api/runs', '/./api/runs'],
    ...['/api/./runs', '/;/api/runs', '/metrics/', '/metrics%20', '/%6detrics', '/api/runs/'],
    ...[
      '/api/session/../runs',
      '/api/session%2f..%2fruns',
      '/api/runs?/api/session',
      '/api/runs#/',
    ],
    ...['http://127.0.0.1/api/runs', '/healthz/../api/runs', '/api\\runs', '/api/runs%00'],
  ])('no other way of writing an address leads around it: %s', async (path) => {
    const { status, text } = await askRaw('GET', path, {});
    // A page without data, or nothing.
    if (status === 200) expect(text).toContain('<div id="');
    else expect([400, 401, 404]).toContain(status);
  });
});

describe('a login', () => {
  it('is kept in a cookie that no script can read and no other site sends', async () => {
    const { answer, session, setCookie } = await logIn(dashboard, 'vera', PASSWORDS.vera);
    expect(answer.status).toBe(200);
    expect(session).toMatchObject({ name: 'vera', role: 'viewer', via: 'account' });
    expect(setCookie).toMatch(/^bootstrax_[0-9a-f]{8}=[\w-]{43};/);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=604800']) {
      expect(setCookie).toContain(part);
    }
    expect(setCookie).not.toContain('Secure');
    const proxied = await logIn(dashboard, 'vera', PASSWORDS.vera, {
      'x-forwarded-proto': 'https',
    });
    expect(proxied.setCookie).toContain('Secure');
  });

  it('outlives the server', async () => {
    await dashboard.end();
    dashboard = await DashboardProcess.start(lab, environment);
    const { text } = await ask('GET', '/api/session', { cookie: olga.cookie });
    expect(JSON.parse(text)).toMatchObject({ name: 'olga', role: 'operator', csrf: olga.csrf });
  });

  it('ends for good when logged out, and not by a page of another site', async () => {
    const { login } = await logIn(dashboard, 'olga', PASSWORDS.olga);
    const { cookie, csrf } = login;
    expect((await ask('DELETE', '/api/session', { cookie })).status).toBe(403);
    expect((await ask('GET', '/api/runs', { cookie })).status).toBe(200);
    const { status, text } = await ask('DELETE', '/api/session', {
      ...{ cookie, 'x-bootstrax-csrf': csrf },
    });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ name: null, role: null, via: null, csrf: null });
    expect((await ask('GET', '/api/runs', { cookie })).status).toBe(401);
  });

  it('ends with a new password, and with the account; a new role holds at once', async () => {
    await addAccount(lab, 'paul', 'viewer', 'paul the first');
    const sent = async (password: string) => {
      const { cookie } = (await logIn(dashboard, 'paul', password)).login;
      return { cookie };
    };
    const first = await sent('paul the first');
    await userCommand(lab, ['role', 'paul', 'operator'], '');
    expect((await ask('GET', '/api/session', first)).text).toContain('"operator"');
    const changed = await userCommand(lab, ['password', 'paul'], 'paul the second\n');
    expect(changed.code, changed.output).toBe(0);
    expect((await ask('GET', '/api/runs', first)).status).toBe(401);
    const second = await sent('paul the second');
    expect((await ask('GET', '/api/runs', second)).status).toBe(200);
    const reading = new EventReader(new URL('/api/stream', dashboard.url), undefined, second);
    await reading.next('a status', ({ event }) => event === 'status');
    await userCommand(lab, ['remove', 'paul'], '');
    await until('the open stream to end', () => reading.hasEnded);
    expect((await ask('GET', '/api/runs', second)).status).toBe(401);
    expect((await logIn(dashboard, 'paul', 'paul the second')).answer.status).toBe(401);
  });

  it('does not say whether a name is known', async () => {
    const client = { 'x-forwarded-for': '192.0.2.1' };
    const known = await logIn(dashboard, 'vera', 'not her password', client);
    const unknown = await logIn(dashboard, 'walter', 'not her password', client);
    expect(known.answer.status).toBe(401);
    expect(unknown.answer.status).toBe(401);
    expect(known.session).toEqual(unknown.session);
  });

  it('cannot be tried again and again, by whatever name; others are not kept out', async () => {
    const client = { 'x-forwarded-for': 'made up, 192.0.2.77' };
    const tries = await Promise.all(
      Array.from({ length: 12 }, (_, i) => logIn(dashboard, `user${i}`, 'guess', client)),
    );
    const statuses = tries.map(({ answer }) => answer.status).sort();
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    const { answer } = await logIn(dashboard, 'vera', PASSWORDS.vera, client);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(800);
    expect((await logIn(dashboard, 'vera', PASSWORDS.vera)).answer.status).toBe(200);
  });

  test.each([
    ['a form', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
    ['text', 415, { 'content-type': 'text/plain' }],
    ['another site', 403, { origin: 'https://evil.org' }],
    ['a frame', 403, { origin: 'null' }],
    ['another port of this machine', 403, { 'sec-fetch-site': 'same-site' }],
  ])('is not begun by a page of others: %s', async (_, status, headers: Sent) => {
    const { answer } = await logIn(dashboard, 'vera', PASSWORDS.vera, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('may be begun from the page itself, under a name that was allowed', async () => {
    const headers = { 'sec-fetch-site': 'same-origin', origin: 'https://runs.example.org' };
    expect((await logIn(dashboard, 'vera', PASSWORDS.vera, headers)).answer.status).toBe(200);
  });
});

describe('what is kept', () => {
  it('lies in files for the owner alone, without a password or a cookie in them', async () => {
    const folder = join(lab.stateDir(HOST), 'dashboard');
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((each) =>
      each.isFile(),
    );
    expect(files.length).toBeGreaterThan(3);
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name);
      expect((await stat(path)).mode & 0o777, path).toBe(0o600);
      expect((await stat(parentPath)).mode & 0o777, parentPath).toBe(0o700);
      const text = await readFile(path, 'utf8');
      for (const secret of [...Object.values(PASSWORDS), olga.cookie.split('=')[1]!]) {
        expect(text + name).not.toContain(secret);
      }
    }
    expect(await readFile(join(folder, 'users', 'olga.json'), 'utf8')).toMatch(
      /"scrypt\$32768\$8\$3\$[\w+/]{22}==\$[\w+/]{43}="/,
    );
  });

  it('is told in the log, without what was typed', () => {
    expect(dashboard.log).toContain('"dashboard.login"');
    expect(dashboard.log).toContain('"dashboard.login_failed"');
    expect(dashboard.log).toContain('an unknown name');
    for (const secret of [...Object.values(PASSWORDS), 'walter', 'guess', olga.csrf]) {
      expect(dashboard.log).not.toContain(secret);
    }
  });
});

describe('the single sign-on', () => {
  const session = async (sent: Sent) => {
    const { text } = await ask('GET', '/api/session', sent);
    const { name, role, via } = JSON.parse(text) as SessionAnswer;
    return [name, role, via];
  };

  test.each([
    ['a name', { 'x-forwarded-user': 'otto' }, ['otto', 'operator', 'proxy']],
    ['a group', SINGLE_SIGN_ON.viewer, ['vincent', 'viewer', 'proxy']],
    ['neither', SINGLE_SIGN_ON.stranger, ['stefan', null, 'proxy']],
    ['two names', { 'x-forwarded-user': 'stefan, otto' }, [null, null, null]],
    ['no name', { 'x-forwarded-user': '', 'x-forwarded-groups': 'shifters' }, [null, null, null]],
    ['another header', { 'x-remote-user': 'otto' }, [null, null, null]],
  ])('gives a role by %s', async (_, sent: Sent, expected) => {
    expect(await session(sent)).toEqual(expected);
  });
});

describe('what is sent', () => {
  const act = (body: unknown, type = 'application/json') =>
    fetch(new URL('/api/actions', dashboard.url), {
      method: 'POST',
      headers: { cookie: olga.cookie, 'x-bootstrax-csrf': olga.csrf, 'content-type': type },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    });
  const hold = { kind: 'hold', reason: 'why not', targets: [{ run: 1, seen: 'x' }] };

  test.each([
    ['an operator of the database', 400, { ...hold, targets: [{ run: { $gt: 0 }, seen: 'x' }] }],
    ['another', 400, { ...hold, targets: [{ host: { $ne: null }, seen: 'x' }] }],
    ['one for what was seen', 400, { ...hold, targets: [{ run: 1, seen: { $exists: true } }] }],
    ['one for the reason', 400, { ...hold, reason: { $where: 'sleep(1000)' } }],
    ['one as the kind', 400, { ...hold, kind: '$set' }],
    ['a kind that every object has', 400, { ...hold, kind: 'constructor' }],
    ['a field that every object has', 400, JSON.stringify(hold).replace('{', '{"__proto__":{},')],
    ['who asks', 400, { ...hold, by: 'somebody else' }],
    ['a number that is none', 400, JSON.stringify(hold).replace('"run":1', '"run":1e400')],
    ['a number with a fraction', 400, { ...hold, targets: [{ run: 1.5, seen: 'x' }] }],
    ['nothing to act on', 400, { ...hold, targets: [] }],
    ['too much to act on', 400, { ...hold, targets: Array(201).fill(hold.targets[0]) }],
    ['two targets in one', 400, { ...hold, targets: [{ run: 1, host: 'b', seen: 'x' }] }],
    ['a control character', 400, { ...hold, reason: 'a\u0000b' }],
    ['what is not JSON', 400, '{"kind":'],
    ['what is not UTF-8', 400, new Uint8Array([0x22, 0xff, 0xfe, 0x22])],
    ['a list', 400, [hold]],
    ['nothing', 400, ''],
    ['too much', 413, { ...hold, reason: 'x'.repeat(300_000) }],
    ['what is nested deeply', 400, `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('%s is refused', async (_, status, body) => {
    const before = await lab.runsDatabase.collection('bootstrax_actions').countDocuments();
    const answer = await act(body);
    expect(answer.status, await answer.text()).toBe(status);
    expect(await lab.runsDatabase.collection('bootstrax_actions').countDocuments()).toBe(before);
  });

  test.each([
    ...['/api/runs?mode[$ne]=x', '/api/runs?mode[]=x', '/api/runs?$where=1', '/api/runs?from=1e3'],
    ...['/api/runs?from=0x10', '/api/runs?limit=-1', '/api/runs?tag=%00', '/api/runs?__proto__=x'],
    ...['/api/runs/1%00', '/api/runs/1;x', "/api/runs/1'", '/api/runs/%D9%A1'],
    ...['/api/actions?before=2026-99-99T00:00:00.000Z_abababababababababababab'],
    ...['/api/attempts/..%2f..%2f..%2fetc%2fpasswd/log', '/api/attempts/%00/progress'],
    ...['/api/hosts/%0d%0aX-Evil:%201/history', `/api/hosts/${'h'.repeat(500)}/history`],
    ...['/api/hosts/beta/history?hours[$gt]=1', '/api/failures?days=7&x=1', '/api/session?x=1'],
  ])('%s is refused', async (path) => {
    const { status, text } = await askRaw('GET', path, { cookie: olga.cookie });
    expect(status, text).toBe(400);
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['error']);
  });

  test.each([
    ...['/../../etc/passwd', '/assets/../../../package.json', '/%2e%2e/%2e%2e/package.json'],
    ...['/assets/%2e%2e%2f%2e%2e%2fpackage.json', '/..%5c..%5cpackage.json', '/index.html%00.js'],
  ])('no file but those of the pages is served: %s', async (path) => {
    const { status, text } = await askRaw('GET', path, {});
    if (status === 200) expect(text).toContain('<div id="');
    else expect([400, 404]).toContain(status);
    expect(text).not.toMatch(/root:|devDependencies/);
  });

  it('is answered without being repeated as a header or as a page', async () => {
    const path = '/api/runs/%3Cscript%3Ealert(1)%3C%2Fscript%3E';
    const answer = await dashboard.get(path, { cookie: olga.cookie });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('the commands', () => {
  it('show nothing of a password that is typed, and want to see it twice', async () => {
    const args = ['add', 'tilda', 'viewer'];
    const differing = await userCommandTyped(lab, args, ['typed unseen', 'typed unsee']);
    expect(differing.code, differing.output).toBe(2);
    expect(differing.output).toContain('not the same');
    const { code, output } = await userCommandTyped(lab, args, [
      'typed unseem\u007fn',
      'typed unseen',
    ]);
    expect(code, output).toBe(0);
    expect(output).not.toContain('typed');
    expect((await logIn(dashboard, 'tilda', 'typed unseen')).answer.status).toBe(200);
    const broken = await userCommandTyped(lab, ['password', 'tilda'], ['abc\u0003']);
    expect(broken.code, broken.output).toBe(2);
    expect(broken.output).toContain('nothing has been changed');
    await userCommand(lab, ['remove', 'tilda'], '');
  });

  it('name no password in their arguments, and refuse one that is too short', async () => {
    const { output } = await userCommand(lab, ['add', '--help'], '');
    expect(output).not.toMatch(/--password/);
    const short = await userCommand(lab, ['add', 'rita', 'viewer'], 'short\n');
    expect(short.code).toBe(2);
    expect(short.output).toContain('shorter than 10 characters');
    expect(short.output).not.toContain('"short"');
  });

  test.each([
    [['add', 'vera', 'viewer'], 1, 'already'],
    [['add', '../x', 'viewer'], 2, 'no name for an account'],
    [['add', 'rita'], 2, 'missing required argument'],
    [['add', 'rita', 'admin'], 2, 'viewer or operator'],
    [['role', 'vera', 'king'], 2, 'no role'],
    [['remove', 'rita'], 1, 'no account'],
    [['remove', '../../key'], 1, 'no account'],
    [['password', 'rita'], 1, 'no account'],
  ])('bootstrax user %j: %i', async (args, code, words) => {
    const answer = await userCommand(lab, args, 'long enough for this\n');
    expect(answer.code, answer.output).toBe(code);
    expect(answer.output).toContain(words);
  });

  it('list who there is', async () => {
    const { output } = await userCommand(lab, ['list', '--json'], '');
    expect(JSON.parse(output)).toEqual({
      users: [
        { name: 'olga', role: 'operator' },
        { name: 'vera', role: 'viewer' },
      ],
    });
  });
});
