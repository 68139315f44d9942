import { expect, it } from 'vitest';

import type { Identities } from '../../../src/dashboard/access/identity.ts';
import { createApp } from '../../../src/dashboard/app.ts';
import { openApi } from '../../../src/dashboard/openapi.ts';
import { routesOf } from '../../../src/dashboard/route.ts';
import type { Surroundings } from '../../../src/dashboard/surroundings.ts';

const app = createApp(
  { settings: { rules: {}, host: {} } } as Surroundings,
  new Map(),
  { sessions: {} } as unknown as Identities,
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
