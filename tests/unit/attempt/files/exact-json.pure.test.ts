import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseExactJson } from '../../../../src/attempt/files/exact-json.pure.ts';

test('integers beyond 2^53 keep their digits, others stay numbers', () => {
  const text = '{"a": 1700000000123456789, "b": [-9007199254740993, 9007199254740991], "c": 1.5e3}';
  expect(parseExactJson(text)).toEqual({
    a: '1700000000123456789',
    b: ['-9007199254740993', 9007199254740991],
    c: 1500,
  });
});

test('digits after a point or inside a string are no integers', () => {
  const text = '{"a": 1700000000.1234567890123456789, "b": "1700000000123456789, \\"NaN\\\\"}';
  expect(parseExactJson(text)).toEqual({
    a: 1700000000.1234567,
    b: '1700000000123456789, "NaN\\',
  });
});

test('what Python writes for numbers that are none is null', () => {
  expect(parseExactJson('[NaN, Infinity, -Infinity, null, true, "Infinity"]')).toEqual([
    null,
    null,
    null,
    null,
    true,
    'Infinity',
  ]);
});

/** Large integers as JSON.parse has them, which is what the other tests are about. */
const rounded = (_key: string, value: unknown) =>
  typeof value === 'string' && /^-?\d{16,}$/.test(value) ? Number(value) : value;

test('all other JSON is read as always', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const again = JSON.parse(JSON.stringify(parseExactJson(text)), rounded) as unknown;
      expect(again).toEqual(JSON.parse(JSON.stringify(JSON.parse(text)), rounded));
    }),
    { numRuns: 500 },
  );
});

test('every integer comes back exactly', () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 70n), 2n ** 70n), (value) => {
      const parsed = parseExactJson(`{"x": ${value}}`) as { x: number | string };
      expect(BigInt(parsed.x)).toBe(value);
    }),
  );
});

test('what is no JSON is an error', () => {
  expect(() => parseExactJson('{"a": 1700000000123456')).toThrow(SyntaxError);
});
