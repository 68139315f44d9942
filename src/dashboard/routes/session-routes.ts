import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';

import { OneAtATime } from '../../infra/concurrency/one-at-a-time.ts';
import { refuseWithoutToken, SESSION_PATH as path } from '../access/access.ts';
import type { Identities, Identity } from '../access/identity.ts';
import { LoginLimit } from '../access/login-limit.ts';
import { isPassword, LONGEST_PASSWORD } from '../access/passwords.ts';
import type { DashboardApp, DashboardEnv } from '../access/principal.ts';
import type { SessionAnswer } from '../access/session-api.ts';
import type { User } from '../access/users.ts';
import { Refusal } from '../request-refusal.ts';
import { route } from '../route.ts';
import type { Surroundings } from '../surroundings.ts';

const loginBody = z.strictObject({
  name: z.string().min(1).max(64),
  password: z.string().min(1).max(LONGEST_PASSWORD),
});

/** Who one is, logging in and logging out. */
export function addSessionRoutes(
  app: DashboardApp,
  { log, clock }: Surroundings,
  identities: Identities,
): void {
  const { sessions } = identities;
  const limit = new LoginLimit();
  /** A hash takes 32 MB: one at a time. */
  const hashes = new OneAtATime();

  const passwordFits = (password: string, user: User | null): Promise<boolean> =>
    hashes.run(() => isPassword(password, user?.password ?? null));

  route(app, { method: 'get', path, about: 'Who one is.' }, async (context) =>
    context.json(answer(await identities.of(context))),
  );

  route(
    app,
    { method: 'post', path, about: 'Logs in.', body: loginBody },
    async (context, { body: { name, password } }) => {
      const client = identities.clientOf(context);
      const nowSeconds = clock.monotonicSeconds();
      const wait = limit.waitSeconds(client, name, nowSeconds);
      if (wait > 0) {
        log.warn({ event: 'dashboard.login_limited', client }, `too many logins from ${client}`);
        throw new Refusal(429, `too many tries: the next one in ${wait} s`, {
          'Retry-After': String(wait),
        });
      }
      limit.begun(client, name, nowSeconds);
      const user = await identities.users.find(name);
      if (!(await passwordFits(password, user)) || user === null) {
        // What was typed as a name may be a password.
        const told = user === null ? 'an unknown name' : user.name;
        log.warn({ event: 'dashboard.login_failed', client, name: told }, `failed login: ${told}`);
        throw new Refusal(401, 'name or password is not right');
      }
      limit.succeeded(client, name);
      await endSession(context);
      const token = await sessions.begin(user, clock.now());
      setCookie(context, sessions.cookie, token, {
        ...cookieOptions(context),
        maxAge: sessions.seconds,
      });
      log.info({ event: 'dashboard.login', client, name: user.name }, `${user.name} has logged in`);
      const who = { ...user, via: 'account', bound: `session:${token}` } as const;
      return context.json(answer(who));
    },
  );

  route(app, { method: 'delete', path, about: 'Logs out.' }, async (context) => {
    const who = await identities.of(context);
    if (who?.via === 'account') {
      refuseWithoutToken(context, identities, who);
      log.info({ event: 'dashboard.logout', name: who.name }, `${who.name} has logged out`);
    }
    await endSession(context);
    deleteCookie(context, sessions.cookie, cookieOptions(context));
    return context.json(answer(await identities.of(context)));
  });

  function answer(who: Identity | null): SessionAnswer {
    if (who === null) return { name: null, role: null, via: null, csrf: null };
    const { name, role, via, bound } = who;
    return { name, role, via, csrf: sessions.csrfOf(bound) };
  }

  async function endSession(context: Context<DashboardEnv>): Promise<void> {
    await sessions.end(getCookie(context, sessions.cookie) ?? '');
  }

  function cookieOptions(context: Context<DashboardEnv>) {
    const secure = identities.isEncrypted(context);
    return { path: '/', httpOnly: true, sameSite: 'Strict', secure } as const;
  }
}
