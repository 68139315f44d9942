import { EventEmitter } from 'node:events';
import type { Collection } from 'mongodb';
import { afterEach, expect, test } from 'vitest';

import { follow, type WatchRequest } from '../../../../src/infra/mongo/watch.ts';

/** A change stream that answers when it is told to, and that may be paused between two questions. */
class Stream {
  readonly #changes = new EventEmitter();
  readonly #ends = new AbortController();
  #answer: ((event: object | null) => void) | null = null;
  #asked: (() => void) | null = null;
  #paused: (() => void) | null = null;
  readonly pauses: { milliseconds: number; signals: readonly AbortSignal[] }[] = [];
  readonly events: unknown[] = [];
  questions = 0;
  end: Promise<string> = Promise.resolve('');

  start(rest: WatchRequest['rest']): void {
    const changes = this.#changes as EventEmitter & Record<string, unknown>;
    Object.assign(changes, {
      tryNext: () =>
        new Promise((resolve) => {
          this.questions += 1;
          this.#answer = resolve;
          this.#asked?.();
        }),
      close: () => Promise.resolve(),
      resumeToken: null,
    });
    this.end = follow({
      ...{ pipeline: [], onGap: () => undefined, signal: this.#ends.signal },
      collection: () => ({ watch: () => changes }) as unknown as Collection,
      caller: { once: (_what: string, call: () => Promise<unknown>) => call() } as never,
      onEvent: (event) => this.events.push(event),
      ...(rest === undefined ? {} : { rest }),
      pause: (signals, milliseconds) => {
        this.pauses.push({ milliseconds, signals });
        this.#paused?.();
        // No time passes here.
        return new Promise((resolve) => {
          for (const signal of signals) signal.addEventListener('abort', () => resolve());
        });
      },
    });
  }

  /** Waits for the next question after `before`. */
  async asked(before: number): Promise<void> {
    if (this.questions > before) return;
    await new Promise<void>((resolve) => (this.#asked = resolve));
  }

  async paused(times: number): Promise<void> {
    while (this.pauses.length < times) {
      await new Promise<void>((resolve) => (this.#paused = resolve));
    }
  }

  answer(event: object | null): void {
    this.#changes.emit('resumeTokenChanged');
    this.#answer?.(event);
  }

  stop(): void {
    this.#ends.abort();
  }
}

let stream = new Stream();
afterEach(() => {
  stream.stop();
  stream = new Stream();
});

test('who has no use for events just now asks no more, until it has', async () => {
  const rest = new AbortController();
  stream.start(() => (rest.signal.aborted ? null : rest.signal));
  await stream.asked(0);
  stream.answer(null);
  await stream.paused(1);
  expect(stream.pauses[0]?.milliseconds).toBe(2000);
  expect(stream.questions).toBe(1);
  rest.abort();
  await stream.asked(1);
  stream.answer(null);
  await stream.asked(2);
  expect(stream.pauses).toHaveLength(1);
});

test('who waits for events asks on at once after an answer without one', async () => {
  stream.start(() => null);
  for (let i = 0; i < 5; i++) {
    await stream.asked(i);
    stream.answer(null);
  }
  await stream.asked(5);
  expect(stream.pauses).toEqual([]);
});

test('an event is told of and the next one asked for at once, whether there is a use for it or not', async () => {
  const rest = new AbortController();
  stream.start(() => rest.signal);
  await stream.asked(0);
  stream.answer({ _id: 1 });
  await stream.asked(1);
  expect(stream.events).toEqual([{ _id: 1 }]);
  expect(stream.pauses).toEqual([]);
});

test('the end does not wait for a rest to be over', async () => {
  stream.start(() => new AbortController().signal);
  await stream.asked(0);
  stream.answer(null);
  await stream.paused(1);
  stream.stop();
  expect(await stream.end).toBe('aborted');
  expect(stream.questions).toBe(1);
});
