/** Who looks, and what they may do: the one definition for server and client. */

export const ROLES = ['viewer', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** GET, POST and DELETE /api/session */
export interface SessionAnswer {
  /** Null: not logged in. */
  name: string | null;
  role: Role | null;
  via: 'loopback' | 'account' | 'proxy' | null;
  /** To be sent as header `x-bootstrax-csrf` with every request that is not GET. */
  csrf: string | null;
}

/** POST /api/session */
export interface LoginBody {
  name: string;
  password: string;
}
