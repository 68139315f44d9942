import fc from 'fast-check';
import { expect, it, test } from 'vitest';

import { productsListed, uncertifiable } from '../../../src/domain/certification.ts';

const HOST = 'eb3';
const live = { type: 'live', host: 'daq', location: '/live' };
const own = { type: 'peaks', host: HOST, location: '/out/a' };
const other = { type: 'peaks', host: 'eb4', location: '/out/b' };
const whole = { location: '/out/a', problem: null };
const broken = { location: '/out/a', problem: 'a chunk is missing' };

it.each([
  ['without any data', [], null, true],
  ['with its live data alone', [live], null, true],
  ['with products of another host alone', [live, other], null, true],
  ['with a product that cannot be seen from here', [live, own], null, false],
  ['with a product that is whole', [live, own], [whole], false],
  ['with a product that is not there', [live, own], [], true],
  ['with a product that is not whole', [live, own], [broken], true],
])('a done run %s: held back is %4$s', (_what, data, seen, heldBack) => {
  const listed = productsListed({ bootstrax: { state: 'done', host: HOST }, data });
  expect(uncertifiable(listed, seen) !== null).toBe(heldBack);
});

test('a document with anything in it is read without an error, and never handed on without products', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (bootstrax, data) => {
      const listed = productsListed({ bootstrax, data });
      expect(uncertifiable(listed, []) !== null).toBe(true);
    }),
  );
});
