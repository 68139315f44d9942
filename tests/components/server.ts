import { vi } from 'vitest';

import type { SessionAnswer } from '../../src/dashboard/access/session-api.ts';

export interface Request {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

type Answer = (request: Request) => { status?: number; body: unknown };

/**
 * The dashboard's server as the client sees it: answers by method and path. Returns the list of
 * requests, which grows.
 */
export function serve(answers: Record<string, Answer>): Request[] {
  const requests: Request[] = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET';
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : null;
    const headers = (init.headers ?? {}) as Record<string, string>;
    const request = { method, path, headers, body };
    requests.push(request);
    const answer = answers[`${method} ${path}`];
    if (answer === undefined) return Promise.reject(new TypeError('the server is away'));
    const { status = 200, body: said } = answer(request);
    return Promise.resolve(Response.json(said, { status }));
  });
  return requests;
}

export const OPERATOR: SessionAnswer = {
  name: 'ada',
  role: 'operator',
  via: 'account',
  csrf: 'token',
};
export const VIEWER: SessionAnswer = { ...OPERATOR, role: 'viewer' };
