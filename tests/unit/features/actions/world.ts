import { type Document, ObjectId } from 'mongodb';

import { act, type Acted } from '../../../../src/features/actions/act.ts';
import type { Ask, Tools } from '../../../../src/features/actions/action.ts';
import { runSeen } from '../../../../src/features/actions/seen.pure.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';
import type { Store } from '../../../../src/ports/store.ts';
import { readRun } from '../../../../src/run/run.pure.ts';
import { createDatabase, type Hooks, openStore } from '../../../simulation/store/index.ts';

export const EB3 = 'eb3.lab';
export const ATTEMPT = 'ab'.repeat(12);

/** A database in memory with a clock that is turned by hand, and people at it. */
export class World {
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  readonly database = createDatabase(() => ++this.nowMs);
  readonly store = openStore(this.database);
  attention: { key: string; seen: string; what: string }[] = [];

  tools(store: Store = this.store): Tools {
    return {
      ...{ store, rules: defaultRules, writer: 'console.lab', random: () => 0.5 },
      attention: () => Promise.resolve(this.attention),
      wake: () => Promise.resolve(),
    };
  }

  /** The same database, reached in another way. */
  reached(hooks: Hooks): Tools {
    return this.tools(openStore(this.database, hooks));
  }

  async insertRun(number: number, bootstrax: Document | null, fields: Document = {}) {
    await this.database.runs.insertOne({
      ...{ _id: new ObjectId(), number, start: new Date(this.nowMs), end: null, mode: 'm' },
      ...{ detectors: ['tpc'], tags: [], bootstrax },
      data: [{ type: 'live', host: 'daq', location: '/live' }],
      daq_config: { processing_threads: { r: 1 }, strax_chunk_length: 5 },
      ...fields,
    });
  }

  async run(number: number): Promise<Document> {
    const found = await this.database.runs.findOne({ number });
    if (found === null) throw new Error(`there is no run ${number}`);
    return found;
  }

  async bootstrax(number: number): Promise<Record<string, unknown>> {
    return (await this.run(number))['bootstrax'] as Record<string, unknown>;
  }

  async seen(number: number): Promise<string> {
    return runSeen(readRun(await this.run(number)));
  }

  async insertHost(host: string, fields: Document = {}): Promise<void> {
    const time = new Date(this.nowMs);
    await this.database.hosts.insertOne({ host, state: 'idle', time, runs: [], ...fields });
  }

  /** `kind` at a run or a host, by somebody who saw what is there. */
  ask(kind: Ask['kind'], at: number | string, more: Partial<Ask> = {}, tools = this.tools()) {
    const named =
      kind === 'acknowledge' && typeof at === 'string'
        ? ({ kind: 'item', item: at } as const)
        : ({ kind: 'host', host: String(at) } as const);
    return act(tools, {
      kind,
      target: typeof at === 'number' ? { kind: 'run', run: at } : named,
      ...{ by: 'anna', via: 'dashboard', reason: 'why not', seen: null, hours: null },
      ...more,
    });
  }

  laterBy(seconds: number): void {
    this.nowMs += seconds * 1000;
  }
}

export const BUSY = { state: 'busy', host: EB3, attempt: ATTEMPT, time: new Date(0) };

export const failed = (failures: number) => ({
  ...{ state: 'failed', host: EB3, time: new Date(0), n_failures: failures },
  ...{ next_retry: new Date(1), reason: 'eb3:\nit broke\n' },
});

export const outcomeOf = ({ action }: Acted) => action.state;
