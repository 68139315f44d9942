import { once } from 'node:events';
import type { ChangeStream, ChangeStreamDocument, Collection, Document } from 'mongodb';

import { monotonicMs, systemClock } from '../clock/clock.ts';
import { giveUp } from '../concurrency/deadline.ts';
import type { Caller } from './call.ts';
import { Pace } from './pace.pure.ts';
import { StoreError, toStoreError } from './store-error.ts';

/** The server answers an idle stream this often: two commands a minute. */
const AWAIT_MS = 30_000;
/** Once a server does that, it does it several times a minute. */
const MOST_EARLY = 6;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** Longest delay of events for a reader that does not wait for them, where each poll is expensive. */
const REST_MS = 2_000;
/** Longest pause after an answer that is more than a refusal for now. */
const LONGEST_REFUSED_PAUSE_MS = 60_000;
/** Faster than any server answers. */
const AT_ONCE_MS = 5;
const MOST_UNANSWERED = 5;

export interface WatchRequest {
  /** The collection of the present client, which may change from call to call. */
  collection: () => Collection;
  caller: Pick<Caller, 'once'>;
  pipeline: Document[];
  onEvent: (event: ChangeStreamDocument) => void;
  /** From here on nothing is missed, but before it something may have been. */
  onGap: () => void;
  /** The server has answered, with an event or without one. */
  onAnswer?: () => void;
  /** Null while events are waited for; else a signal that is aborted once they are. */
  rest?: () => AbortSignal | null;
  signal: AbortSignal;
  /** Waits for `ms`, or until one of the signals is aborted. */
  pause?: typeof pauseUntil;
  /**
   * Counts a stream as unsupported if the server answers it, while idle, at each write of any client: a
   * slow poll is cheaper then.
   */
  onlyIfQuiet?: boolean;
}

/** How far a collection has been followed. */
interface Followed {
  token: unknown;
  /** Before the next try. */
  pauseMs: number;
}

/** Follows a collection until the signal, over interruptions of any length. */
export async function follow(request: WatchRequest): Promise<'aborted' | 'unsupported'> {
  const { signal } = request;
  const followed: Followed = { token: null, pauseMs: FIRST_PAUSE_MS };
  while (!signal.aborted) {
    try {
      if ((await followOneStream(request, followed)) === 'unsupported') return 'unsupported';
    } catch (error) {
      if (signal.aborted) break;
      const failure = toStoreError(error, 'watching', 'this');
      const refused = failure.kind !== 'unreachable';
      if (followed.token === null && isForGood(failure)) return 'unsupported';
      // The token is too old for the server's history, or of another life of the collection.
      if (refused) followed.token = null;
      await systemClock.sleep(followed.pauseMs / 1000, signal);
      followed.pauseMs = Math.min(
        followed.pauseMs * 2,
        refused ? LONGEST_REFUSED_PAUSE_MS : LONGEST_PAUSE_MS,
      );
    }
  }
  return 'aborted';
}

/** Ends with the stream, or with the signal. */
async function followOneStream(
  request: WatchRequest,
  followed: Followed,
): Promise<'ended' | 'unsupported'> {
  const { collection, caller, pipeline, onEvent, onGap, signal } = request;
  const stream = collection().watch(pipeline, {
    maxAwaitTimeMS: AWAIT_MS,
    // Never from an operation time: some servers read their whole history to find it, and answer no
    // call meanwhile.
    ...(followed.token === null ? {} : { resumeAfter: followed.token }),
  });
  let stop = () => undefined as void;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  signal.addEventListener('abort', stop);
  stream.on('resumeTokenChanged', () => request.onAnswer?.());
  const early = new EarlyAnswers();
  if (request.onlyIfQuiet) {
    stream.on('resumeTokenChanged', () => {
      early.count();
      if (early.tooMany) stop();
    });
  }
  try {
    if (signal.aborted) return 'ended';
    const opened = once(stream, 'resumeTokenChanged');
    const reading = readAll(
      stream,
      (event) => {
        if (signal.aborted) return;
        followed.token = event._id;
        followed.pauseMs = FIRST_PAUSE_MS;
        early.forget();
        onEvent(event);
      },
      request,
    );
    // Its end is awaited below.
    giveUp(reading);
    // The stream is opened only by its first read: the gap must end at a known time.
    await caller.once('opening a change stream', () => Promise.race([opened, reading, stopped]));
    if (!signal.aborted) onGap();
    // On a connection that went silent the stream would not end with its closing.
    const hasEnded = await Promise.race([reading.then(() => true), stopped]);
    if (hasEnded === true && !signal.aborted) {
      throw new StoreError('refused', 'the server has ended the change stream');
    }
    return early.tooMany && !signal.aborted ? 'unsupported' : 'ended';
  } finally {
    signal.removeEventListener('abort', stop);
    followed.token = stream.resumeToken ?? followed.token;
    giveUp(stream.close());
  }
}

/** Counts answers in a row that came without an event, long before they were due. */
class EarlyAnswers {
  #last = monotonicMs(systemClock);
  #inARow = 0;

  count(): void {
    const now = monotonicMs(systemClock);
    this.#inARow = now - this.#last < AWAIT_MS / 2 ? this.#inARow + 1 : 0;
    this.#last = now;
  }

  forget(): void {
    this.#inARow = 0;
  }

  get tooMany(): boolean {
    return this.#inARow >= MOST_EARLY;
  }
}

/** Until the signal, or until the server has ended the stream. */
async function readAll(
  stream: ChangeStream,
  onEvent: (event: ChangeStreamDocument) => void,
  { signal, rest, pause = pauseUntil }: Pick<WatchRequest, 'signal' | 'rest' | 'pause'>,
): Promise<void> {
  const pace = new Pace();
  let unanswered = 0;
  stream.on('resumeTokenChanged', () => (unanswered = 0));
  while (!signal.aborted) {
    const asked = monotonicMs(systemClock);
    const event = await stream.tryNext();
    if (event !== null) {
      unanswered = 0;
      pace.event();
      onEvent(event);
      continue;
    }
    const now = monotonicMs(systemClock);
    // A stream that the server has ended with its collection returns at once, for ever.
    if (now - asked < AT_ONCE_MS && ++unanswered > MOST_UNANSWERED) return;
    if (now - asked > AWAIT_MS / 2) continue;
    const resting = rest?.() ?? null;
    const waitMs = resting === null ? pace.nothing(now - asked) : REST_MS;
    if (waitMs > 0) await pause(resting === null ? [signal] : [signal, resting], waitMs);
  }
}

/** Waits for `ms`, or until one of the signals is aborted. */
async function pauseUntil(signals: readonly AbortSignal[], milliseconds: number): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  for (const signal of signals) signal.addEventListener('abort', end, { once: true });
  if (signals.some(({ aborted }) => aborted)) end();
  await systemClock.sleep(milliseconds / 1000, over.signal);
  for (const signal of signals) signal.removeEventListener('abort', end);
}

/** No change streams at all: a standalone server, no such stage or command, or no privilege. */
function isForGood({ kind }: StoreError): boolean {
  return kind === 'unauthorized' || kind === 'unsupported';
}
