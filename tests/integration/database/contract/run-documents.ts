import { randomBytes } from 'node:crypto';
import type { Document } from 'mongodb';
import { expect } from 'vitest';

import type { Fence, PlanSummary, RunStore } from '../../../../src/run/run.port.ts';
import type { RunDocument, Seen } from '../../../../src/run/run-document.port.ts';
import { seenOf } from '../../../../src/run/stored-runs.ts';
import type { Outside } from './opened.ts';

export const EB3 = 'eb3.xenon.local';
export const EB4 = 'eb4.xenon.local';

export const PLAN: PlanSummary = {
  targets: ['raw_records', 'peaks'],
  post_processing: [],
  dropped: [],
  cores: 2,
  max_messages: 10,
  timeout: 500,
  rung: 0,
};

export const newAttempt = () => randomBytes(12).toString('hex');

/** As the data acquisition inserts it. */
export function runDocument(number: number, fields: Document = {}): Document {
  return {
    number,
    start: new Date(1_700_000_000_000 + number * 60_000),
    end: null,
    mode: 'tpc_bkg',
    detectors: ['tpc'],
    bootstrax: { state: null },
    tags: [],
    daq_config: { processing_threads: { reader0: 2 }, strax_chunk_length: 5, secret: 'x' },
    data: [{ type: 'live', host: 'daq', location: '/live_data/xenonnt' }],
    ...fields,
  };
}

/** Inserts a document and reads it as the store does. */
export async function insert(
  store: RunStore,
  runs: Outside,
  document: Document,
): Promise<RunDocument> {
  const { insertedId } = await runs.insertOne(document);
  const stored = await store.byId(insertedId);
  expect(stored).not.toBeNull();
  return stored!;
}

export async function seen(store: RunStore, document: RunDocument): Promise<Seen> {
  return seenOf((await store.byId(document._id))!);
}

/** A run that this host has claimed (and begun). */
export async function claimed(
  store: RunStore,
  document: RunDocument,
  options: { busy?: boolean; host?: string } = {},
): Promise<Fence> {
  const fence = { id: document._id, attempt: newAttempt(), host: options.host ?? EB3 };
  expect(await store.claim(await seen(store, document), fence)).toBe('claimed');
  if (options.busy) expect(await store.markBusy(fence, PLAN)).toBe('landed');
  return fence;
}

/** `bootstrax` as it is in the database. */
export async function bootstrax(runs: Outside, document: { _id: unknown }): Promise<Document> {
  const stored = await runs.findOne({ _id: document._id });
  return stored!.bootstrax as Document;
}
