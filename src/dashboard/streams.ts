import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Logger } from 'pino';

import { followLog, readLogEnd } from '../attempt/files/log-file.ts';
import { type Clock, systemClock } from '../infra/clock/clock.ts';
import type { Tasks } from '../infra/concurrency/tasks.ts';
import { Wake } from '../infra/concurrency/wake.ts';
import type { ChangedEvent } from '../readmodel/api.ts';
import type { DashboardEnv } from './access/principal.ts';
import type { Feeder } from './feeder.ts';

const STATUS_SECONDS = 2;
/** A browser that lost the stream comes back after this. */
const RETRY_MS = 1000;
const LOG_LOOK_SECONDS = 1;
const ALLOWED_LOOK_SECONDS = 5;

/** Number of a process's life: an id of another life says nothing. */
const LIFE = systemClock.now().getTime().toString(36);

/** Where a browser left off: `<life>.<seq>`; 0 if it must be told everything. */
export function resumeFrom(lastEventId: string | undefined): number {
  const [life, seq] = (lastEventId ?? '').split('.');
  return life === LIFE && /^\d{1,15}$/.test(seq ?? '') ? Number(seq) : 0;
}

/**
 * Tells one browser the newest state of each panel that changed. A slow one is told later and less,
 * never kept in memory.
 */
export async function tellPanels(
  { feeder, clock }: { feeder: Feeder; clock: Clock },
  stream: SSEStreamingApi,
  lastEventId: string | undefined,
): Promise<void> {
  let seq = resumeFrom(lastEventId);
  const wake = new Wake(clock);
  const closed = new AbortController();
  let statusDue = true;
  const unsubscribe = feeder.subscribe(() => {
    statusDue = true;
    wake.notify();
  });
  stream.onAbort(() => closed.abort());
  try {
    await stream.write(`retry: ${RETRY_MS}\n\n`);
    while (!stream.aborted && !stream.closed) {
      const until = feeder.seq;
      const panels = feeder.panelsSince(seq);
      const ids = seq === 0 ? [] : feeder.changedSince(seq);
      const id = `${LIFE}.${until}`;
      for (const [panel, { json, staleAfterSeconds }] of panels) {
        const data = `{"panel":"${panel}","staleAfterSeconds":${staleAfterSeconds},"data":${json}}`;
        await stream.writeSSE({ event: 'panel', data });
      }
      if (ids === null || ids.length > 0) {
        const event: ChangedEvent = { ids };
        await stream.writeSSE({ event: 'changed', data: JSON.stringify(event) });
      }
      if (statusDue || panels.length > 0) {
        statusDue = false;
        await stream.writeSSE({ event: 'status', data: JSON.stringify(feeder.status()), id });
      }
      seq = until;
      if (statusDue || feeder.seq > seq) continue;
      await wake.wait(STATUS_SECONDS, closed.signal);
      statusDue = true;
    }
  } finally {
    unsubscribe();
  }
}

/** The end of a log and then what comes, until the attempt has ended. Ids are byte offsets. */
export async function tellLog(
  log: { file: string; hasEnded: () => Promise<boolean>; tasks: Tasks },
  stream: SSEStreamingApi,
  lines: number,
  lastEventId: string | undefined,
): Promise<void> {
  const ended = new AbortController();
  stream.onAbort(() => ended.abort());
  const interval = { name: 'the end of a log that is followed', seconds: LOG_LOOK_SECONDS };
  const looks = log.tasks.every(interval, async () => {
    if (await log.hasEnded()) ended.abort();
  });
  try {
    let offset = /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : null;
    if (offset === null) {
      const end = await readLogEnd(log.file, lines);
      offset = end.endBytes;
      await stream.writeSSE({ event: 'end', data: JSON.stringify(end.text), id: String(offset) });
    }
    for await (const { text, endBytes } of followLog(log.file, offset, ended.signal)) {
      await stream.writeSSE({ event: 'more', data: JSON.stringify(text), id: String(endBytes) });
    }
    await stream.writeSSE({ event: 'over', data: '' });
  } finally {
    looks.stop();
    ended.abort();
  }
}

/**
 * Answers with a stream of events. It ends when its reader may not look any more, and with an error:
 * the browser comes back, and is told.
 */
export function eventStream(
  context: Context<DashboardEnv>,
  { log, tasks }: { log: Logger; tasks: Tasks },
  tell: (stream: SSEStreamingApi, lastEventId: string | undefined) => Promise<void>,
): Response {
  const { isStillAllowed } = context.var;
  return streamSSE(
    context,
    async (stream) => {
      const interval = { name: 'who may go on reading', seconds: ALLOWED_LOOK_SECONDS };
      const looks = tasks.every(interval, async () => {
        if (!(await isStillAllowed().catch(() => false))) stream.abort();
      });
      try {
        await tell(stream, context.req.header('last-event-id'));
      } finally {
        looks.stop();
      }
    },
    (error) => {
      log.warn({ event: 'dashboard.stream', err: error }, `a stream has ended: ${error.message}`);
      return Promise.resolve();
    },
  );
}
