import type { Db } from 'mongodb';

import { monotonicMs, systemClock } from '../clock/clock.ts';
import type { Caller } from './call.ts';
import { hello } from './hello.ts';

const MAX_AGE_MS = 60_000;

/**
 * The server's time from `hello.localTime`, carried on for up to a minute by this machine's
 * monotonic clock. The error is at most the time that the call took.
 */
export function createServerClock(db: () => Db, caller: Caller): () => Promise<Date> {
  let asked: { serverMs: number; monotonicMs: number } | null = null;
  return async () => {
    const now = monotonicMs(systemClock);
    if (asked === null || now - asked.monotonicMs > MAX_AGE_MS) {
      asked = await caller.repeatable('asking for the time', async () => {
        const reply = await hello((command) => db().command(command));
        return {
          serverMs: (reply.localTime as Date).getTime(),
          monotonicMs: monotonicMs(systemClock),
        };
      });
    }
    return new Date(asked.serverMs + (monotonicMs(systemClock) - asked.monotonicMs));
  };
}
