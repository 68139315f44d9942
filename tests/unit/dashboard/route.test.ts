import { expect, it } from 'vitest';

import type { Identities } from '../../../src/dashboard/access/identity.ts';
import { createApp } from '../../../src/dashboard/app.ts';
import { openApi } from '../../../src/dashboard/openapi.ts';
import { routesOf } from '../../../src/dashboard/route.ts';
import type { Surroundings } from '../../../src/dashboard/surroundings.ts';

const app = createApp(
  { settings: { rules: {}, host: {} } } as Surroundings,
  new Map(),
  { sessions: {}, of: () => Promise.resolve(null) } as unknown as Identities,
  () => true,
);
const described = routesOf(app).map(({ method, path }) => `${method.toUpperCase()} ${path}`);

it('no route is added past the description of the API', () => {
  const served = app.routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '*' && path !== '/*')
    .map(({ method, path }) => `${method} ${path}`);
  expect(served.length).toBeGreaterThan(10);
  expect(served.sort()).toEqual([...described].sort());
});

it('no route is described twice', () => {
  expect(new Set(described).size).toBe(described.length);
});

it('the description says what each request is checked by', () => {
  const { paths } = openApi(routesOf(app), '1') as {
    paths: Record<string, Record<string, { parameters: object[]; requestBody?: object }>>;
  };
  expect(paths['/api/runs/{run}']?.['get']?.parameters).toEqual([
    { name: 'run', in: 'path', required: true, schema: { type: 'string', pattern: '^\\d{1,7}$' } },
  ]);
  expect(paths['/api/actions']?.['post']).toMatchObject({
    parameters: [{ name: 'x-bootstrax-csrf', in: 'header', required: true }],
    requestBody: {
      content: {
        'application/json': {
          schema: { additionalProperties: false, required: ['kind', 'reason', 'targets'] },
        },
      },
    },
  });
  // A page that nobody is logged in to has no token yet.
  expect(paths['/api/session']?.['post']?.parameters).toEqual([]);
});

it('an answer of any kind, an error too, carries the headers that keep other sites out', async () => {
  for (const path of ['/', '/api/nothing', '/api/overview']) {
    const { headers } = await app.request(path);
    expect(Object.fromEntries(headers), path).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), microphone=(), geolocation=()',
    });
    expect(headers.has('strict-transport-security')).toBe(false);
  }
});

it.each(['declared', 'sent in pieces'])('a body that is too long, %s, is refused', async (how) => {
  const text = JSON.stringify({ name: 'x'.repeat(300_000), password: 'y' });
  const pieces = new Blob([text]).stream();
  const answer = await app.request('/api/session', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(how === 'declared' ? { 'content-length': String(text.length) } : {}),
    },
    ...(how === 'declared' ? { body: text } : { body: pieces, duplex: 'half' }),
  });
  expect(answer.status).toBe(413);
  expect(await answer.json()).toEqual({ error: 'the body is longer than 262144 bytes' });
});

it.each([
  ['no JSON', '{', 400, 'the body is not JSON'],
  ['no UTF-8', new Uint8Array([0x7b, 0xff]), 400, 'the body is not UTF-8'],
])('a body that is %s is refused', async (_, body, status, error) => {
  const answer = await app.request('/api/session', {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body },
  });
  expect(answer.status).toBe(status);
  expect(await answer.json()).toEqual({ error });
});
