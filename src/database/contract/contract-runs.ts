import { randomBytes } from 'node:crypto';
import type { Document } from 'mongodb';

import type { Fence } from '../../run/run.port.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { seenOf } from '../../run/stored-runs.ts';
import { type CheckContext, expect, NotAsPromised } from './promise.ts';

/** Hosts of the trial. */
export const A = 'contract-a.lab';
export const B = 'contract-b.lab';

let numbers = 0;

/** As the data acquisition inserts it. */
export function runDocument(fields: Document = {}): Document & { number: number } {
  const number = ++numbers;
  return {
    number,
    start: new Date(1_700_000_000_000 + number * 60_000),
    end: null,
    mode: 'contract',
    detectors: ['tpc'],
    bootstrax: { state: null },
    tags: [],
    data: [{ type: 'live', host: 'daq', location: '/live_data/contract' }],
    ...fields,
  };
}

/** A run document, as the program reads it. */
export async function newRun({ scratch, store }: CheckContext, fields: Document = {}) {
  const id = await scratch.insertRun(runDocument(fields));
  const document = await store.runs.byId(id);
  if (document === null) throw new NotAsPromised('what was just inserted cannot be read');
  return document;
}

/** Claims a run for the first host. */
export async function claimed(context: CheckContext, document: RunDocument): Promise<Fence> {
  const fence = { id: document._id, attempt: randomBytes(12).toString('hex'), host: A };
  const answer = await context.store.runs.claim(seenOf(document), fence);
  expect(answer === 'claimed', 'a free run could not be claimed');
  return fence;
}
