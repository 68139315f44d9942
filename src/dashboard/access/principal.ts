import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';

import type { Role } from './session-api.ts';

/** The person behind a request. */
export interface Principal {
  /** As the audit names them. */
  name: string;
  role: Role;
  /** How it is known who they are. */
  via: 'loopback' | 'account' | 'proxy';
}

export interface DashboardEnv {
  Bindings: HttpBindings;
  Variables: {
    /** Set for every route but those that anybody may use. */
    principal: Principal;
    /** Set as well: whether the same would be allowed now. */
    isStillAllowed: () => Promise<boolean>;
  };
}

export type DashboardApp = Hono<DashboardEnv>;
