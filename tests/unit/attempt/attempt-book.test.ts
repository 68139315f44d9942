import { ObjectId } from 'mongodb';
import { expect, it } from 'vitest';

import { AttemptBook } from '../../../src/attempt/attempt-book.ts';
import type { Runner } from '../../../src/attempt/runner.ts';

const runner = (attempt: string) =>
  ({ fence: { id: new ObjectId(), attempt, host: 'eb0.test.local' } }) as Runner;

it('An attempt that begins a second time in one manager ends it: two runners would work in one place', () => {
  const book = new AttemptBook();
  book.add(runner('a'));
  book.add(runner('b'));
  expect(() => book.add(runner('a'))).toThrow('attempt a has begun twice');
  expect(book.size).toBe(2);
});
