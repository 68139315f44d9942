import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import {
  boundGrowingLog,
  boundLog,
  followLog,
  readLogEnd,
} from '../../../../src/attempt/files/log-file.ts';
import { temporaryFolder } from '../support.ts';

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
    for await (const { text } of followLog(path, fromBytes, stop.signal)) found.text += text;
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

test('of a log that is shortened beginning and end stay in whole lines; it says so, and keeps its time', async () => {
  const path = logOf(`begin\n${'line of ten\n'.repeat(100)}end\n`);
  utimesSync(path, 1000, 1000);
  await boundLog(path, 148);
  const shortened =
    'begin\n[1176 bytes of this log were removed here]\nline of ten\nline of ten\nend\n';
  expect(readFileSync(path, 'utf8')).toBe(shortened);
  expect(statSync(path).mtimeMs).toBe(1_000_000);
  expect(readdirSync(join(path, '..'))).toEqual(['log.txt']);
  await boundLog(path, 148);
  expect(readFileSync(path, 'utf8')).toBe(shortened);
});

test('a log of one line is shortened all the same', async () => {
  const path = logOf(`${'a'.repeat(500)}${'z'.repeat(500)}`);
  await boundLog(path, 200);
  expect(readFileSync(path, 'utf8')).toBe(
    `${'a'.repeat(25)}\n[900 bytes of this log were removed here]\n${'z'.repeat(75)}`,
  );
});

test('a log that grows without a newline stays bounded while it is written to, and its writer goes on', async () => {
  const path = logOf('the first line\n');
  const maxBytes = 3e6;
  const writer = openSync(path, 'a');
  onTestFinished(() => closeSync(writer));
  const { found } = following(path, 0);
  for (let piece = 0; piece < 40; piece += 1) {
    writeSync(writer, `${'x'.repeat(999_990)}<${String(piece).padStart(3, '0')}>`);
    await boundGrowingLog(path, maxBytes);
    expect(statSync(path).size).toBeLessThan(maxBytes + 1000);
  }
  writeSync(writer, '\nthe last line\n');
  const kept = readFileSync(path, 'utf8');
  expect(kept.startsWith('the first line\n')).toBe(true);
  expect(kept.endsWith('<039>\nthe last line\n')).toBe(true);
  // All that is not there any more is counted, however often it was shortened.
  const [note, removed] = /\[(\d+) bytes of this log were removed here\]\n/.exec(kept)!;
  const written = 'the first line\n'.length + 40 * 999_995 + '\nthe last line\n'.length;
  expect(Number(removed)).toBe(written - (kept.length - note.length));
  await expect.poll(() => found.text).toContain('the last line');
  expect(found.text.length).toBeLessThan(1e6);
});

test('lines are cut where nobody could read them, and the end of a long log is found at once', async () => {
  const path = logOf('');
  const size = 60e6;
  const file = openSync(path, 'a');
  for (let written = 0; written < size; written += 1e6) writeSync(file, 'y'.repeat(1e6));
  closeSync(file);
  const { text, endBytes } = await readLogEnd(path, 1000);
  expect(endBytes).toBe(size);
  expect(text.length).toBeLessThan(11_000);
  expect(text).toMatch(/^\[\d+ bytes before this are not shown; see .*log\.txt\]\ny+ \[\d+ more/);
  appendFileSync(path, `\n${'lines\n'.repeat(5)}`);
  expect((await readLogEnd(path, 3)).text).toBe('lines\nlines\nlines\n');
});

test('a log within its limit, or none, is left as it is', async () => {
  const path = logOf('short\n');
  await boundLog(path, 6);
  expect(readFileSync(path, 'utf8')).toBe('short\n');
  await boundLog(join(temporaryFolder(), 'none'), 6);
});
