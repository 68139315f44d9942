import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';

import { FileTail, LineCutter } from '../../../../src/infra/disk/tail.ts';

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));

/** Cuts bytes at any places, also inside a character. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  return places.map((place, index) => bytes.subarray(places[index - 1] ?? 0, place));
}

test('wherever the bytes are cut, the lines come out whole, in order, once', () => {
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat()), (lines, unfinished, cuts) => {
      const bytes = Buffer.from([...lines, unfinished].join('\n'));
      const cutter = new LineCutter();
      const found = pieces(bytes, cuts).flatMap((piece) => cutter.push(piece));
      expect(found).toEqual(lines);
      expect(cutter.push(Buffer.from('\n'))).toEqual([unfinished]);
    }),
    { numRuns: 500 },
  );
});

test('the buffer of a read may be used again for the next', () => {
  const cutter = new LineCutter();
  const buffer = Buffer.from('first');
  cutter.push(buffer);
  buffer.write('other');
  expect(cutter.push(Buffer.from('\n'))).toEqual(['first']);
});

test('a growing file is read on from where it ended, whatever the pieces', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootstrax-test-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat()), async (lines, cuts) => {
      const tail = new FileTail(join(folder, String((count += 1))));
      expect(await tail.readLines()).toEqual([]);
      writeFileSync(tail.path, '');
      const found: string[] = [];
      for (const piece of pieces(Buffer.from(lines.map((text) => `${text}\n`).join('')), cuts)) {
        appendFileSync(tail.path, piece);
        found.push(...(await tail.readLines()));
      }
      await tail.close();
      expect(found).toEqual(lines);
    }),
    { numRuns: 100 },
  );
});
