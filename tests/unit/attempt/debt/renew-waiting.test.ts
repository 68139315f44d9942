import { type Document, ObjectId } from 'mongodb';
import { expect, it } from 'vitest';

import { createDatabase, openStore } from '../../../simulation/store/index.ts';

const HOST = 'eb3.lab';
const BEFORE = new Date(0);

it('debts that wait are renewed together, and none that is held by somebody else', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const database = createDatabase(() => ++now);
  const { debts } = openStore(database);
  const insert = async (attempt: string, more: Document = {}) => {
    const _id = new ObjectId();
    const debt = { attempt, host: HOST, time: BEFORE, kept: 'a field of a later release' };
    const bootstrax = { state: 'done', host: HOST, debt };
    await database.runs.insertOne({ _id, number: 1, status: null, bootstrax, ...more });
    return { id: _id, attempt, host: HOST };
  };
  const held = [await insert('a'), await insert('b')];
  const other = await insert('c');
  const handedOn = await insert('d', { status: 'transferred' });
  await debts.renewWaiting([...held, { ...other, attempt: 'x' }, handedOn]);
  const timeOf = async (id: ObjectId) => {
    const document = await database.runs.findOne({ _id: id });
    return (document?.['bootstrax'] as { debt: { time: Date; kept: string } }).debt;
  };
  for (const { id } of held) {
    const { time, kept } = await timeOf(id);
    expect(time.getTime()).toBeGreaterThan(BEFORE.getTime());
    expect(kept).toBe('a field of a later release');
  }
  for (const { id } of [other, handedOn]) expect((await timeOf(id)).time).toEqual(BEFORE);
  expect(await debts.byIds(held.map(({ id }) => id))).toHaveLength(2);
  expect(await debts.byIds([])).toEqual([]);
});
