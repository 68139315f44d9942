import type { MiddlewareHandler } from 'hono';
import { userInfo } from 'node:os';

import type { DashboardEnv } from './principal.ts';

/** Says who is behind a request, and refuses what they may not do. */
export function access(): MiddlewareHandler<DashboardEnv> {
  return async (context, next) => {
    context.set('principal', { name: userInfo().username, role: 'operator', via: 'loopback' });
    await next();
  };
}
