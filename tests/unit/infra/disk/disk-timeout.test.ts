import { expect, it } from 'vitest';

import { DiskTimeout, NoAnswerError } from '../../../../src/infra/disk/disk-timeout.ts';

it('an answer in time is passed on, an error too', async () => {
  const patience = new DiskTimeout(10);
  expect(await patience.ask('/data', () => Promise.resolve(7))).toBe(7);
  const failure = new Error('EACCES');
  await expect(patience.ask('/data', () => Promise.reject(failure))).rejects.toBe(failure);
  expect(await patience.ask('/data', () => Promise.resolve(8))).toBe(8);
});

it('a place that hangs is asked no more until it has answered; others are', async () => {
  const patience = new DiskTimeout(0.02);
  let answer: (value: number) => void = () => undefined;
  let asked = 0;
  const question = () => {
    asked += 1;
    return new Promise<number>((resolve) => (answer = resolve));
  };
  await expect(patience.ask('/data', question)).rejects.toThrow('/data does not answer');
  const events: unknown[] = [];
  const timer = setTimeout(() => events.push('time passed'), 0);
  await patience.ask('/data', question).catch((error: unknown) => events.push(error));
  clearTimeout(timer);
  expect(events).toEqual([expect.any(NoAnswerError)]);
  expect(asked).toBe(1);
  expect(await patience.ask('/live', () => Promise.resolve('there'))).toBe('there');
  answer(7);
  await Promise.resolve();
  expect(await patience.ask('/data', () => Promise.resolve(8))).toBe(8);
});

it('an error that comes too late harms nobody', async () => {
  const patience = new DiskTimeout(0.01);
  let fail: (error: Error) => void = () => undefined;
  const question = () => new Promise<never>((_, reject) => (fail = reject));
  await expect(patience.ask('/data', question)).rejects.toThrow('does not answer');
  fail(new Error('EIO'));
  await new Promise(setImmediate);
  expect(await patience.ask('/data', () => Promise.resolve(1))).toBe(1);
});
