import type { Context, MiddlewareHandler } from 'hono';

import { Refusal } from '../request-refusal.ts';
import type { Identities, Identity } from './identity.ts';
import type { DashboardEnv } from './principal.ts';

/** Header with what only a page of ours can know (`SessionAnswer.csrf`). */
export const CSRF_HEADER = 'x-bootstrax-csrf';
/** Where one logs in and out, and finds that token. */
export const SESSION_PATH = '/api/session';
const METRICS = '/metrics';

/**
 * Refuses what the person behind a request may not do; below it `principal` is who that is. What
 * changes anything is for operators and needs the page's token, at whatever address. What is read is
 * for viewers, but for the pages themselves and whether the server is well, which hold no data.
 */
export function access(
  identities: Identities,
  isOwnName: (host: string) => boolean,
): MiddlewareHandler<DashboardEnv> {
  return async (context, next) => {
    const { path, method } = context.req;
    const reads = method === 'GET' || method === 'HEAD';
    if (!reads) refuseOtherSites(context, isOwnName);
    const isPage = reads && !path.startsWith('/api/') && path !== METRICS;
    const isMetrics = reads && path === METRICS && identities.mayReadMetrics(context);
    if (path === SESSION_PATH || isPage || isMetrics) return next();

    const who = await identities.of(context);
    if (who === null) throw new Refusal(401, 'log in first');
    const { name, role, via } = who;
    if (role === null) {
      throw new Refusal(403, `${name} is known, but is neither viewer nor operator here`);
    }
    if (!reads) {
      if (role !== 'operator') {
        throw new Refusal(403, `${name} may look, but not act: that is for operators`);
      }
      refuseWithoutToken(context, identities, who);
    }
    context.set('principal', { name, role, via });
    context.set('isStillAllowed', async () => (await identities.of(context))?.role === role);
    return next();
  };
}

/** Throws 403 unless the page has sent its token along. */
export function refuseWithoutToken(
  context: Context<DashboardEnv>,
  { sessions }: Identities,
  { bound }: Identity,
): void {
  if (sessions.isCsrf(context.req.header(CSRF_HEADER), bound)) return;
  throw new Refusal(
    403,
    `the header ${CSRF_HEADER} is not what GET ${SESSION_PATH} gives: load the page again`,
  );
}

/** Browsers say from whose page a request comes; other programs need not. */
function refuseOtherSites(
  context: Context<DashboardEnv>,
  isOwnName: (host: string) => boolean,
): void {
  const site = context.req.header('sec-fetch-site');
  const origin = context.req.header('origin');
  const isOwn =
    site === undefined
      ? origin === undefined || (URL.canParse(origin) && isOwnName(new URL(origin).host))
      : site === 'same-origin';
  if (!isOwn) throw new Refusal(403, 'another site’s page may change nothing here');
}
