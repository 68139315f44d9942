import type { Db } from 'mongodb';
import { expect, it } from 'vitest';

import type { Caller } from '../../../../src/infra/mongo/call.ts';
import { findMissing, type IndexSpec } from '../../../../src/infra/mongo/indexes.ts';

const SPEC: IndexSpec = {
  ...{ database: 'runs', collection: 'runs', name: 'number', key: { number: 1 } },
};

it.each([
  ['as ours', {}, true],
  ['backwards', { key: { number: -1 } }, true],
  ['longer', { key: { number: 1, start: 1 } }, true],
  ['with a collation that compares as ours', { collation: { locale: 'simple' } }, true],
  ['with a collation', { collation: { locale: 'en' } }, false],
  ['sparse', { sparse: true }, false],
  ['partial', { partialFilterExpression: { number: { $gt: 1 } } }, false],
  ['hidden', { hidden: true }, false],
])('an index %s', async (_, fields, serves) => {
  const once: Caller['once'] = (_operation, run) => run();
  const lasting: Caller['lasting'] = (_operation, _limitSeconds, run) => run();
  const caller: Caller = { once, lasting, repeatable: once, pause: () => Promise.resolve() };
  const indexes = () => Promise.resolve([{ key: { number: 1 }, ...fields }]);
  const db = () => ({ collection: () => ({ indexes }) }) as unknown as Db;
  const missing = await findMissing({ runs: { db, caller }, daq: { db, caller } }, [SPEC]);
  expect(missing).toEqual(serves ? [] : [SPEC]);
});
