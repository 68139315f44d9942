import fc from 'fast-check';
import { expect, it } from 'vitest';

import { LineLimiter, withShortLines } from '../../../../src/attempt/files/long-lines.pure.ts';

it('lines that are short enough stay as they are, however the text is cut into pieces', () => {
  const line = fc.string({ maxLength: 10 }).map((text) => text.replaceAll('\n', ''));
  fc.assert(
    fc.property(fc.array(line), fc.nat(7), (lines, step) => {
      const text = lines.join('\n');
      const limiter = new LineLimiter(10);
      let shown = '';
      for (let at = 0; at < text.length; at += step + 1) {
        shown += limiter.push(text.slice(at, at + step + 1));
      }
      expect(shown + limiter.end()).toBe(text);
    }),
  );
});

it('of a longer line the beginning is shown and the rest is counted', () => {
  expect(withShortLines(`short\n${'x'.repeat(25)}\nnext\n`, 10)).toBe(
    `short\n${'x'.repeat(10)} [15 more characters of this line]\nnext\n`,
  );
  expect(withShortLines('x'.repeat(11), 10)).toBe(
    `${'x'.repeat(10)} [1 more character of this line]`,
  );
});

it('a line without an end takes no memory as it comes', () => {
  const limiter = new LineLimiter(10);
  const shown = Array.from({ length: 1000 }, () => limiter.push('x'.repeat(1000))).join('');
  expect(shown).toBe('x'.repeat(10));
  expect(limiter.push('\nnext')).toBe(' [999990 more characters of this line]\nnext');
});
