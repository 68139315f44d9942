import type { Document } from 'mongodb';

import { fieldsOf } from '../../src/infra/values/bson-values.pure.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Conclusion, Fence, RunStore } from '../../src/run/run.port.ts';
import type { Seen } from '../../src/run/run-document.port.ts';
import { FINISHED_STATUS } from '../../src/run/run-updates.ts';
import { opened } from '../unit/run/documents.ts';
import type { MemoryDatabase } from './store/index.ts';

/** How a host reaches the database. */
export type Call = <T>(operation: string, carryOut: () => Promise<T>) => Promise<T>;

/**
 * The same store, but with the order of writes of the program before this one in place of ours: a
 * claim in two writes, the whole sub-document rewritten from memory by `_id` and nothing else, `done`
 * and status one after the other, an abandoned run failed first. Its clean-up knows no claim without
 * a time, no run of its own and no `done` without a status. The control of the simulation: it must
 * find what is wrong with that.
 */
export function withReferenceOrder(store: Store, database: MemoryDatabase, call: Call): Store {
  const memory = new Map<string, Document>();
  const ours = store.runs;

  const write = (filter: Document, update: Document) =>
    call('updating runs', () => database.runs.updateOne(filter, update));

  const rewrite = async (id: Seen['id'], fields: Document): Promise<void> => {
    const before = memory.get(id.toHexString()) ?? {};
    const bootstrax: Document = { ...before, ...fields, time: new Date(database.now()) };
    memory.set(id.toHexString(), bootstrax);
    await write({ _id: id }, { $set: { bootstrax } });
  };

  const remember = async (id: Seen['id']): Promise<void> => {
    const document = await ours.byId(id);
    memory.set(id.toHexString(), { ...fieldsOf(opened(document).bootstrax) });
  };

  const end = async (id: Seen['id'], host: string, conclusion: Conclusion): Promise<void> => {
    const failures = Number(memory.get(id.toHexString())?.['n_failures'] ?? 0);
    const failed = (more: Document) =>
      rewrite(id, { state: 'failed', host, outcome: conclusion.kind, attempt: null, ...more });
    const retryIn = (seconds: number) => new Date(database.now() + seconds * 1000);
    switch (conclusion.kind) {
      case 'done':
        await rewrite(id, { state: 'done', host, outcome: 'done', attempt: null });
        await write(
          { _id: id, status: { $in: [null, 'needs_upload'] } },
          { $set: { status: FINISHED_STATUS } },
        );
        return;
      case 'failed':
      case 'given_up':
        return failed({
          n_failures: conclusion.failures,
          next_retry: retryIn(conclusion.kind === 'failed' ? conclusion.delaySeconds : 0),
        });
      case 'requeued':
        return failed({ n_failures: failures, next_retry: retryIn(conclusion.delaySeconds) });
      case 'set_aside':
        return failed({ next_retry: null });
      case 'abandoned':
        await failed({ n_failures: failures + 1, next_retry: retryIn(60) });
        return rewrite(id, { state: 'abandoned', host, outcome: 'abandoned' });
    }
  };

  const owned = async (fence: Fence, fields: Document): Promise<'landed'> => {
    await rewrite(fence.id, { host: fence.host, attempt: fence.attempt, ...fields });
    return 'landed';
  };

  const runs: RunStore = {
    ...ours,
    claim: async (seen, { attempt, host }) => {
      const { matchedCount } = await write(
        { _id: seen.id, 'bootstrax.state': seen.state },
        { $set: { 'bootstrax.state': 'considering' } },
      );
      if (matchedCount === 0) return 'lost';
      await remember(seen.id);
      await rewrite(seen.id, { state: 'considering', host, attempt });
      return 'claimed';
    },
    markBusy: (fence) =>
      owned(fence, { state: 'busy', started_processing: new Date(database.now()) }),
    heartbeat: (fence, state) => owned(fence, { state }),
    conclude: async (fence, conclusion) => {
      await end(fence.id, fence.host, conclusion);
      return { kind: 'landed', statusLeft: null };
    },
    settle: async (seen, host, conclusion) => {
      await remember(seen.id);
      await end(seen.id, host, conclusion);
      return 'landed';
    },
    // What it works on it knows from memory.
    byId: async (id) => {
      const document = await ours.byId(id);
      const bootstrax = memory.get(id.toHexString());
      return document === null || bootstrax === undefined ? document : { ...document, bootstrax };
    },
    unsettled: async () => (await ours.unsettled()).filter(({ time }) => time instanceof Date),
    ownRuns: () => Promise.resolve([]),
    doneUnfinished: () => Promise.resolve([]),
    doneWithoutStatus: () => Promise.resolve([]),
  };
  return { ...store, runs };
}
