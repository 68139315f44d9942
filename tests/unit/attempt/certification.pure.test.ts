import fc from 'fast-check';
import { expect, it, test } from 'vitest';

import {
  productsListed,
  uncertifiable,
  whyNotHandedOn,
} from '../../../src/attempt/certification.pure.ts';
import { readRun } from '../../../src/run/run.pure.ts';

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
  const listed = productsListed(readRun({ bootstrax: { state: 'done', host: HOST }, data }));
  expect(uncertifiable(listed, seen) !== null).toBe(heldBack);
});

test('a document with anything in it is read without an error, and never handed on without products', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (bootstrax, data) => {
      const listed = productsListed(readRun({ bootstrax, data }));
      expect(uncertifiable(listed, []) !== null).toBe(true);
    }),
  );
});

const NOW = new Date('2026-01-01T12:00:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
const lacking = {
  ...{ missing: 0, unreadable: 1, unread: 0 },
  parts: [
    { kind: 'unreadable', chunk: '000001', reader: null, bytes: 1, rows: null, problem: null },
  ],
};

it.each([
  ['without a product', {}, [live], /lists no product/],
  [
    'with products that nobody has certified',
    {},
    [live, own],
    /not there or not whole, or .* has not checked/,
  ],
  ['whose time is no date', { time: 'soon' }, [live], /lists no product/],
  ['that is held for its debt', { debt: { host: HOST } }, [live], null],
  ['that lacks data, which is told by itself', { incomplete: lacking }, [live, own], null],
  ['whose hosts still have time for it', { time: ago(600) }, [live], null],
  ['that is no more done', { state: 'failed' }, [live], null],
])('of a done run without a status %s it is said why', (_what, fields, data, why) => {
  const bootstrax = { state: 'done', host: HOST, time: ago(601), ...fields };
  const found = whyNotHandedOn(readRun({ bootstrax, data, end: NOW }), NOW, 600);
  if (why === null) expect(found).toBeNull();
  else expect(found).toMatch(why);
});

test('a done run whose end was never written is not handed on for that', () => {
  const bootstrax = { state: 'done', host: HOST, time: ago(601) };
  for (const end of [null, undefined, 'later']) {
    expect(whyNotHandedOn(readRun({ bootstrax, data: [own], end }), NOW, 600)).toMatch(
      /written its end/,
    );
  }
});
