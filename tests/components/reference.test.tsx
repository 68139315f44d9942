import { cleanup, render, screen, within } from '@testing-library/preact';
import { Hono } from 'hono';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';

import type { DashboardApp } from '../../src/dashboard/access/principal.ts';
import { openApi } from '../../src/dashboard/openapi.ts';
import { route, routesOf } from '../../src/dashboard/route.ts';
import { ReferencePage } from '../../web/src/pages/reference.tsx';
import { serve } from './server.ts';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** The server's own description of two routes. */
function description(): object {
  const app: DashboardApp = new Hono();
  const answer = () => new Response();
  const host = z.strictObject({ host: z.string().max(9) });
  const hours = z.strictObject({ hours: z.enum(['1', '6']).default('6') });
  const about = 'Curves of a host.';
  route(
    app,
    { method: 'get', path: '/api/hosts/:host', about, params: host, query: hours },
    answer,
  );
  const body = z.strictObject({ reason: z.string().min(1) });
  route(app, { method: 'post', path: '/api/actions', about: 'Acts.', body }, answer);
  return openApi(routesOf(app), '1.2.3');
}

async function sectionOf(path: string): Promise<HTMLElement> {
  serve({ 'GET /api/schema': () => ({ body: description() }) });
  render(<ReferencePage />);
  const name = await screen.findByText(path);
  return name.closest('section')!;
}

test('the page of the API says what an address takes, and how curl asks for it', async () => {
  const section = await sectionOf('/api/hosts/{host}');
  expect(section.textContent).toContain('Curves of a host.');
  expect(section.textContent).toContain('required; string, at most 9 characters');
  expect(section.textContent).toContain('1, 6, usually "6"');
  within(section).getByText(`curl -fsS -b cookies '${location.origin}/api/hosts/HOST'`);
});

test('the page of the API shows the body and the token that a change needs', async () => {
  const section = await sectionOf('/api/actions');
  expect(section.textContent).toContain('"minLength": 1');
  within(section).getByText(/-H 'x-bootstrax-csrf: TOKEN' -H 'content-type: application\/json'/);
  expect(screen.getByText('Refusals').closest('section')!.textContent).toContain(
    'The body is not JSON.',
  );
});
