import type { ChangeStream, Document } from 'mongodb';

import { monotonicMs, systemClock } from '../../infra/clock/clock.ts';
import { giveUp, TOO_LATE, within } from '../../infra/concurrency/deadline.ts';
import type { Fence, RunHint } from '../../run/run.port.ts';
import { RUNS_COLLECTION } from '../../run/run.store.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { hintOf, RUN_WATCH_PIPELINE } from '../../run/run-watch.ts';
import { type CheckContext, NotAsPromised } from './promise.ts';

/** A healthy stream needs milliseconds. */
const EVENT_SECONDS = 10;
const LOOK_MS = 20;
/** How long the server is left alone before it is asked. */
const IDLE_MS = 500;

/** Each insertion and change is told, the heartbeats of busy hosts are not. */
export async function streamCheck(
  { scratch, store }: CheckContext,
  runDocument: () => Document,
  claim: (run: RunDocument) => Promise<Fence>,
): Promise<string> {
  const hints: RunHint[] = [];
  let gaps = 0;
  const ends = new AbortController();
  const watching = store.runs.watch((hint) => {
    if (hint === null) gaps++;
    else hints.push(hint);
  }, ends.signal);
  try {
    const begun = monotonicMs(systemClock);
    const opened = until('the stream to open', () => gaps > 0);
    const answer = await Promise.race([opened.then(() => 'open' as const), watching]);
    giveUp(opened);
    if (answer === 'unsupported') {
      throw new NotAsPromised(
        'the server offers none: make it a replica set, and grant changeStream on the runs',
      );
    }
    const opening = monotonicMs(systemClock) - begun;
    // It is opened by its first read, which nothing tells of: go on until it delivers.
    const limit = monotonicMs(systemClock) + EVENT_SECONDS * 1000;
    while (hints.length === 0 && monotonicMs(systemClock) < limit) {
      await scratch.insertRun(runDocument());
      await systemClock.sleep((LOOK_MS * 5) / 1000);
    }
    const inserted = monotonicMs(systemClock);
    const id = await scratch.insertRun(runDocument());
    await until('the insertion of a run', () => hints.some((hint) => hint.id.equals(id)));
    const latency = monotonicMs(systemClock) - inserted;
    const run = await store.runs.byId(id);
    if (run === null) throw new NotAsPromised('a run that was inserted cannot be read');
    const fence = await claim(run);
    const changed = () => hints.filter((hint) => hint.kind === 'update' && hint.id.equals(id));
    await until('the change of a run', () => changed().length > 0);
    const before = changed().length;
    await store.runs.heartbeat(fence, 'considering', null);
    await store.runs.conclude(fence, { kind: 'abandoned', reason: null });
    await until('the end of a run', () => changed().some(({ state }) => state === 'abandoned'));
    if (changed().length > before + 1) throw new NotAsPromised('heartbeats are told as changes');
    return `told ${Math.round(latency)} ms after the write began; opened in ${Math.round(opening)} ms`;
  } finally {
    ends.abort();
    await watching.catch(() => undefined);
  }
}

/** A stream that is opened again where it was left tells what happened meanwhile. */
export async function resumeCheck(
  { scratch }: CheckContext,
  runDocument: () => Document,
): Promise<string> {
  const open = (token: unknown) =>
    scratch.db
      .collection(RUNS_COLLECTION)
      .watch(RUN_WATCH_PIPELINE, token === null ? {} : { resumeAfter: token });
  const token = await firstToken(scratch, open(null), runDocument);
  const missed = await scratch.insertRun(runDocument());
  const second = open(token);
  try {
    for (;;) {
      const event = await inTime('what happened meanwhile', second.next());
      if (hintOf(event)?.id.equals(missed)) return 'resumed by its token, with what was missed';
    }
  } finally {
    giveUp(second.close());
  }
}

/** Of the first event that a stream tells of: it begins with its first read. */
async function firstToken(
  scratch: CheckContext['scratch'],
  stream: ChangeStream,
  runDocument: () => Document,
): Promise<unknown> {
  let heard = false;
  const hear = () => {
    heard = true;
  };
  try {
    const reading = inTime('the first event', stream.next());
    reading.then(hear, hear);
    while (!heard) {
      await scratch.insertRun(runDocument());
      await systemClock.sleep((LOOK_MS * 5) / 1000);
    }
    return (await reading)._id;
  } finally {
    giveUp(stream.close());
  }
}

/** How long an idle stream takes to answer, if it is given a time. */
export async function idleAnswer({ scratch }: CheckContext): Promise<string> {
  await scratch.command('scratch', {
    find: RUNS_COLLECTION,
    filter: { number: -1 },
    maxTimeMS: 2000,
  });
  const stream = scratch.db
    .collection(RUNS_COLLECTION)
    .watch(RUN_WATCH_PIPELINE, { maxAwaitTimeMS: IDLE_MS });
  try {
    await inTime('the opening of a stream', stream.tryNext());
    const begun = monotonicMs(systemClock);
    await inTime('an answer of an idle stream', stream.tryNext());
    return `an idle stream that was given ${IDLE_MS} ms answered after ${Math.round(monotonicMs(systemClock) - begun)} ms`;
  } finally {
    giveUp(stream.close());
  }
}

async function inTime<T>(what: string, answer: Promise<T>): Promise<T> {
  const answered = await within(systemClock, EVENT_SECONDS, answer);
  if (answered !== TOO_LATE) return answered;
  throw new NotAsPromised(`waited ${EVENT_SECONDS} s in vain for ${what}`);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = monotonicMs(systemClock) + EVENT_SECONDS * 1000;
  while (!holds()) {
    if (monotonicMs(systemClock) > limit) {
      throw new NotAsPromised(`waited ${EVENT_SECONDS} s in vain for ${what}`);
    }
    await systemClock.sleep(LOOK_MS / 1000);
  }
}
