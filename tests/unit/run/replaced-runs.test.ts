import { type Document, ObjectId } from 'mongodb';
import { expect, it } from 'vitest';

import { hintMeaning } from '../../../src/claim/prospects.ts';
import { ReplacedRuns } from '../../../src/run/replaced-runs.ts';
import { hintOf } from '../../../src/run/run-watch.ts';

const ID = new ObjectId('a'.repeat(24));
const key = { documentKey: { _id: ID } };
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const replaced = (bootstrax: unknown, more: Document = {}) => ({
  ...{ operationType: 'replace', ...key },
  fullDocument: { number: 7, tags: [], bootstrax, ...more },
});
const busy = (second: number, more: Document = {}) =>
  replaced({ state: 'busy', host: 'eb3', time: at(second), progress: { t: second }, ...more });

it('documents that are replaced for a heartbeat say nothing', () => {
  const runs = new ReplacedRuns();
  expect([1, 2, 3].map((second) => runs.isNews(busy(second)))).toEqual([true, false, false]);
});

it.each([
  ['its state', replaced({ state: 'failed', host: 'eb3', time: at(2) })],
  ['its holder', busy(2, { host: 'eb4' })],
  ['a time for a retry', busy(2, { next_retry: at(9) })],
  ['a tag', { ...busy(2), fullDocument: { ...busy(2).fullDocument, tags: [{ name: 'abandon' }] } }],
  ['its end', { ...busy(2), fullDocument: { ...busy(2).fullDocument, end: at(1) } }],
])('a document that is replaced with another value of %s is news', (_, event) => {
  const runs = new ReplacedRuns();
  runs.isNews(busy(1));
  expect(runs.isNews(event)).toBe(true);
});

it('what another event has told in between, or a gap may have hidden, is not taken for known', () => {
  const runs = new ReplacedRuns();
  const free = replaced(null);
  expect(runs.isNews(free)).toBe(true);
  expect(runs.isNews({ operationType: 'update', ...key })).toBe(true);
  expect(runs.isNews(free)).toBe(true);
  expect(runs.isNews(free)).toBe(false);
  runs.forget();
  expect(runs.isNews(free)).toBe(true);
});

it('documents without fields, or with odd ones, are compared as well', () => {
  const runs = new ReplacedRuns();
  for (const odd of [undefined, null, 3, 'x', [], { state: {} }]) runs.isNews(replaced(odd));
  expect(runs.isNews({ operationType: 'replace' })).toBe(true);
});

it.each([
  [null, 'free'],
  [{}, 'free'],
  ['odd', 'free'],
  [{ state: null }, 'free'],
  [{ state: 'failed' }, 'perhaps'],
  [{ state: 'busy' }, 'taken'],
  [{ state: 'done' }, 'taken'],
])('a document that was replaced with bootstrax %j is judged by its state: %s', (own, meaning) => {
  const hint = hintOf(replaced(own));
  expect(hint).toMatchObject({ kind: 'update', id: ID, number: 7 });
  expect(hintMeaning(hint!)).toBe(meaning);
});
