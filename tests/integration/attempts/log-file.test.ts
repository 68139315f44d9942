import {
  appendFileSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { boundLog, followLog, readLogEnd } from '../../../src/attempts/log-file.ts';
import { temporaryFolder } from './support.ts';

function logOf(text: string): string {
  const path = join(temporaryFolder(), 'log.txt');
  writeFileSync(path, text);
  return path;
}

test.each([
  ['all of a short one', 'a\nb\n', 5, 'a\nb\n'],
  ['as many as asked for', 'a\nb\nc\n', 2, 'b\nc\n'],
  ['with one that is not finished', 'a\nb\nc', 2, 'b\nc'],
  ['empty lines count', 'a\n\n\n', 2, '\n\n'],
  ['an empty line in front', '\na\n', 1, 'a\n'],
  ['none', 'a\n', 0, ''],
  ['of nothing', '', 3, ''],
])('the last lines: %s', async (_what, text, count, expected) => {
  expect(await readLogEnd(logOf(text), count)).toEqual({
    text: expected,
    endBytes: Buffer.byteLength(text),
  });
});

test('the last lines of a large log, with characters of several bytes', async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `Zeile ${index} – größer`);
  const path = logOf(`${lines.join('\n')}\n`);
  for (const count of [1, 100, 5000, 19_999, 20_000, 30_000]) {
    const { text } = await readLogEnd(path, count);
    expect(text === `${lines.slice(-count).join('\n')}\n`).toBe(true);
  }
});

test('a log that is not there yet is empty', async () => {
  expect(await readLogEnd(join(temporaryFolder(), 'log.txt'), 10)).toEqual({
    text: '',
    endBytes: 0,
  });
});

function following(path: string, fromBytes: number) {
  const stop = new AbortController();
  const found = { text: '', ended: false };
  const done = (async () => {
    for await (const piece of followLog(path, fromBytes, stop.signal)) found.text += piece;
    found.ended = true;
  })();
  onTestFinished(async () => {
    stop.abort();
    await done;
  });
  return { found, stop, done };
}

test('a log is followed from where its end was read, characters whole', async () => {
  const path = logOf('old\n');
  const { endBytes } = await readLogEnd(path, 1);
  appendFileSync(path, 'between\n');
  const { found, stop, done } = following(path, endBytes);
  await expect.poll(() => found.text).toBe('between\n');
  const bytes = Buffer.from('größer – 🚀\n');
  for (const byte of bytes) {
    appendFileSync(path, Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await expect.poll(() => found.text).toBe('between\ngrößer – 🚀\n');
  stop.abort();
  await done;
  expect(found.ended).toBe(true);
});

test('what was written before following ends is still told', async () => {
  const path = logOf('');
  const { found, stop, done } = following(path, 0);
  appendFileSync(path, 'last words\n');
  stop.abort();
  await done;
  expect(found.text).toBe('last words\n');
});

test('a log that comes later is waited for', async () => {
  const path = join(temporaryFolder(), 'log.txt');
  const { found } = following(path, 0);
  writeFileSync(path, 'first\n');
  await expect.poll(() => found.text).toBe('first\n');
});

test('a log is shortened to its last whole lines, says so, and keeps its time', async () => {
  const path = logOf(`${'line of ten\n'.repeat(100)}end\n`);
  utimesSync(path, 1000, 1000);
  await boundLog(path, 40);
  expect(readFileSync(path, 'utf8')).toBe(
    '[the first 1176 bytes of this log were removed]\nline of ten\nline of ten\nend\n',
  );
  expect(statSync(path).mtimeMs).toBe(1_000_000);
  expect(readdirSync(join(path, '..'))).toEqual(['log.txt']);
});

test('a log within its limit, or none, is left as it is', async () => {
  const path = logOf('short\n');
  await boundLog(path, 6);
  expect(readFileSync(path, 'utf8')).toBe('short\n');
  await boundLog(join(temporaryFolder(), 'none'), 6);
});
