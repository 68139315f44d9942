import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';

import { systemClock } from '../../infra/clock/clock.ts';
import type { Settings } from '../../infra/config/entries.ts';
import { isLoopback } from '../address.ts';
import { addressList, plainAddress } from './address-list.ts';
import { carriesToken } from './bearer.ts';
import { userOfLoopbackPeer } from './peer-user.ts';
import type { DashboardEnv } from './principal.ts';
import { TrustedProxy } from './proxy.ts';
import type { Role } from './session-api.ts';
import { Sessions } from './sessions.ts';
import { Users } from './users.ts';

/** Who somebody is, and how that is known. */
export interface Identity {
  name: string;
  /** Null: known, but with nothing to do here. */
  role: Role | null;
  via: 'loopback' | 'account' | 'proxy';
  /** To what a page's token for changes is bound. */
  bound: string;
}

const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];
const NOBODY_KNOWN = 'somebody on this machine';

/** Tells who is behind a request. */
export class Identities {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly proxy: TrustedProxy;
  /** On loopback without a login. */
  readonly #isOpen: boolean;
  /** Asked once for a connection. */
  readonly #peerNames = new WeakMap<object, Promise<string>>();

  readonly #readsMetrics: (address: string) => boolean;
  readonly #metricsToken: string | null;

  private constructor(
    users: Users,
    sessions: Sessions,
    { proxy, metricsAddresses, metricsToken, login }: Settings['dashboard'],
    address: string,
  ) {
    this.users = users;
    this.sessions = sessions;
    this.proxy = new TrustedProxy(proxy);
    this.#isOpen = isLoopback(address) && !login && !this.proxy.exists;
    this.#readsMetrics = addressList(metricsAddresses);
    this.#metricsToken = metricsToken;
  }

  /** `address`: where the server listens. */
  static async open({ dashboard, paths }: Settings, address: string): Promise<Identities> {
    const users = new Users(paths.stateDir);
    const seconds = dashboard.sessionHours * 3600;
    const sessions = await Sessions.open(paths.stateDir, users, seconds);
    return new Identities(users, sessions, dashboard, address);
  }

  /** Null: not known. A login goes before what a proxy says. */
  async of(context: Context<DashboardEnv>): Promise<Identity | null> {
    const header = (name: string) => context.req.header(name);
    const token = getCookie(context, this.sessions.cookie);
    const user = await this.sessions.userOf(token, systemClock.now());
    if (user !== null && token !== undefined) {
      return { name: user.name, role: user.role, via: 'account', bound: `session:${token}` };
    }
    if (this.proxy.isTrusted(this.#peerOf(context))) {
      const vouched = this.proxy.vouchedBy(header);
      if (vouched !== null) return { ...vouched, via: 'proxy', bound: `proxy:${vouched.name}` };
    }
    // Through a proxy that is not configured anybody may come from this machine's own address.
    if (!this.#isOpen || FORWARDED.some((name) => header(name) !== undefined)) return null;
    const name = await this.#nameOfPeer(context);
    return { name, role: 'operator', via: 'loopback', bound: 'loopback' };
  }

  /** Where a request comes from: before a trusted proxy. */
  clientOf(context: Context<DashboardEnv>): string {
    const peer = this.#peerOf(context);
    if (!this.proxy.isTrusted(peer)) return peer;
    return this.proxy.clientOf((name) => context.req.header(name)) ?? peer;
  }

  /** Whether the browser's own connection is encrypted, as far as it can be told. */
  isEncrypted(context: Context<DashboardEnv>): boolean {
    return (
      this.proxy.isTrusted(this.#peerOf(context)) &&
      context.req.header('x-forwarded-proto') === 'https'
    );
  }

  /**
   * Whether the metrics are for this request without a login: by its token, or its address, which is
   * never believed of what comes through the proxy.
   */
  mayReadMetrics(context: Context<DashboardEnv>): boolean {
    if (carriesToken(context.req.header('authorization'), this.#metricsToken)) return true;
    const peer = this.#peerOf(context);
    return this.#readsMetrics(peer) && !this.proxy.isTrusted(peer);
  }

  #peerOf(context: Context<DashboardEnv>): string {
    return plainAddress(getConnInfo(context).remote.address);
  }

  #nameOfPeer({ env }: Context<DashboardEnv>): Promise<string> {
    const { socket } = env.incoming;
    const known = this.#peerNames.get(socket);
    if (known !== undefined) return known;
    const asked = userOfLoopbackPeer(socket.remotePort ?? 0, socket.localPort ?? 0).then(
      (name) => name ?? NOBODY_KNOWN,
    );
    this.#peerNames.set(socket, asked);
    return asked;
  }
}
