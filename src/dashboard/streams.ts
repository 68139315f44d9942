import type { Context } from 'hono';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import type { Logger } from 'pino';

import { followLog, readLogEnd } from '../attempt/files/log-file.ts';
import type { ChangedEvent } from '../readmodel/api.ts';
import type { Feeder } from './feeder.ts';
import type { DashboardEnv } from './access/principal.ts';

const STATUS_MS = 2000;
/** A browser that lost the stream comes back after this, ms. */
const RETRY_MS = 1000;
const LOG_LOOK_MS = 1000;
const ALLOWED_LOOK_MS = 5000;

/** Number of a process's life: an id of another life says nothing. */
const LIFE = Date.now().toString(36);

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
  feeder: Feeder,
  stream: SSEStreamingApi,
  lastEventId: string | undefined,
): Promise<void> {
  let seq = resumeFrom(lastEventId);
  let wake = () => undefined as void;
  let statusDue = true;
  const unsubscribe = feeder.subscribe(() => {
    statusDue = true;
    wake();
  });
  const timer = setInterval(() => {
    statusDue = true;
    wake();
  }, STATUS_MS);
  stream.onAbort(() => wake());
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
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    clearInterval(timer);
    unsubscribe();
  }
}

/** The end of a log and then what comes, until the attempt has ended. Ids are byte offsets. */
export async function tellLog(
  log: { file: string; hasEnded: () => Promise<boolean> },
  stream: SSEStreamingApi,
  lines: number,
  lastEventId: string | undefined,
): Promise<void> {
  const ended = new AbortController();
  stream.onAbort(() => ended.abort());
  const look = setInterval(() => {
    void log.hasEnded().then((over) => {
      if (over) ended.abort();
    });
  }, LOG_LOOK_MS);
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
    clearInterval(look);
    ended.abort();
  }
}

/**
 * Answers with a stream of events. It ends when its reader may not look any more, and with an error:
 * the browser comes back, and is told.
 */
export function eventStream(
  context: Context<DashboardEnv>,
  log: Logger,
  tell: (stream: SSEStreamingApi, lastEventId: string | undefined) => Promise<void>,
): Response {
  const { isStillAllowed } = context.var;
  return streamSSE(
    context,
    async (stream) => {
      const timer = setInterval(() => {
        void isStillAllowed()
          .catch(() => false)
          .then((allowed) => allowed || stream.abort());
      }, ALLOWED_LOOK_MS);
      try {
        await tell(stream, context.req.header('last-event-id'));
      } finally {
        clearInterval(timer);
      }
    },
    (error) => {
      log.warn({ event: 'dashboard.stream', err: error }, `a stream has ended: ${error.message}`);
      return Promise.resolve();
    },
  );
}
