import type { LoggerOptions } from 'pino';

import { RENAMED_EVENTS } from './renamed-names.pure.ts';

/** Hooks of a logger: an event that was renamed is logged a second time, under its former name. */
export const RENAMED_EVENT_HOOKS: NonNullable<LoggerOptions['hooks']> = {
  logMethod(args, method) {
    method.apply(this, args);
    const [fields, message] = args as unknown[];
    const event = eventOf(fields);
    const former = event === null ? undefined : RENAMED_EVENTS[event];
    if (event === null || former === undefined) return;
    method.call(
      this,
      { ...(fields as object), event: former, renamed_to: event },
      `${String(message)} [the event ${former} is called ${event} since 0.2.0]`,
    );
  },
};

function eventOf(fields: unknown): string | null {
  if (typeof fields !== 'object' || fields === null) return null;
  const { event } = fields as { event?: unknown };
  return typeof event === 'string' ? event : null;
}
