import { OneAtATime } from '../../infra/concurrency/one-at-a-time.ts';
import { Wake } from '../../infra/concurrency/wake.ts';
import { StoreError } from '../../infra/mongo/store-error.ts';
import { bytes as amount } from '../../infra/values/amounts.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import type { Environment } from '../../ports/environment.ts';
import { tellDaq } from '../../ports/notify.ts';
import { unlessOutage, untilWritten } from '../../ports/persist.ts';
import type { DeletionDocument } from './deletion.port.ts';
import { deleteLiveData, type DeletionEnd, windUpDeletion } from './deletion-job.ts';

/**
 * Deletes live data, one run at a time, beside the other work of the manager. The requests are in the
 * database, so it continues the unfinished deletions of an earlier manager of this host.
 */
export class Deletions {
  readonly #env: Environment;
  readonly #wake: Wake;
  readonly #passes = new OneAtATime();
  /** Aborted: nothing is begun. */
  #working = new AbortController();

  constructor(env: Environment) {
    this.#env = env;
    this.#wake = new Wake(env.clock);
  }

  /** Starts a pass at once, because a run is done. */
  wake(): void {
    this.#wake.notify();
  }

  /** Makes passes at an interval until it is stopped. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#env.deletion === null) return this.#sayWhatIsLeft();
    while (!signal.aborted) {
      await this.pass(signal);
      await this.#wake.wait(this.#env.rules.limits.housekeepingSeconds, signal);
    }
  }

  /** Tries each unfinished deletion of this host once. */
  pass(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#working.signal]);
    return this.#passes.run(() => this.#each(deleteLiveData, either));
  }

  /** Finishes or undoes all deletions, and begins none until `resume`. */
  windUp(signal: AbortSignal): Promise<void> {
    this.#working.abort();
    return this.#passes.run(() => this.#each(windUpDeletion, signal));
  }

  resume(): void {
    if (this.#working.signal.aborted) this.#working = new AbortController();
    this.wake();
  }

  async #each(deal: typeof deleteLiveData, signal: AbortSignal): Promise<void> {
    const env = this.#env;
    if (env.deletion === null || signal.aborted) return;
    const unfinished = await unlessOutage(env, 'unfinished deletions', () =>
      env.store.deletions.unfinished(env.host),
    );
    for (const record of unfinished ?? []) {
      if (signal.aborted) return;
      const { deletion } = env;
      await unlessOutage(env, `the live data of run ${record.run}`, async () => {
        await this.#conclude(record, await deal(env, deletion, record, signal), signal);
      });
    }
  }

  async #conclude(record: DeletionDocument, end: DeletionEnd, signal: AbortSignal): Promise<void> {
    const { env, write } = { env: this.#env, write: this.#writing(record, signal) };
    const { run, attempt } = record;
    switch (end.kind) {
      case 'stopped':
        return;
      case 'done': {
        await write(() => env.store.deletions.done(attempt));
        const { files, bytes, folder, vouchedBy } = end;
        const message = `live data of run ${run} deleted: ${amount(bytes)} in ${counted(files, 'file')} at ${folder}; ${vouchedBy.join(', ')} stand in for it`;
        env.log.info({ event: 'live.deleted', run, attempt, files, bytes, folder }, message);
        return tellDaq(env, 'info', message, run);
      }
      case 'refused': {
        await write(() => env.store.deletions.refuse(attempt, end.cause));
        const message = `live data of run ${run} is not deleted: ${end.cause}. To try it again: bootstrax deletions retry ${run}`;
        env.log.warn({ event: 'live.refused', run, attempt, cause: end.cause }, message);
        return tellDaq(env, 'warning', message, run);
      }
      case 'waiting': {
        if (end.problem === record.problem) return;
        await write(() => env.store.deletions.note(attempt, end.problem));
        const message = `live data of run ${run} is not deleted yet: ${end.problem}; it is tried again`;
        env.log.warn({ event: 'live.waiting', run, attempt, problem: end.problem }, message);
        return tellDaq(env, 'warning', message, run);
      }
    }
  }

  #writing(record: DeletionDocument, signal: AbortSignal) {
    return (write: () => Promise<void>) =>
      untilWritten(this.#env, `the deletion of run ${record.run}`, signal, async () => {
        await write();
        return true;
      });
  }

  /** Logs unfinished deletions that do not go on, because deletion is switched off. */
  async #sayWhatIsLeft(): Promise<void> {
    const env = this.#env;
    let left: DeletionDocument[];
    try {
      left = await env.store.deletions.unfinished(env.host);
    } catch (error) {
      // A site without deletion may not give the right to read the collection.
      if (error instanceof StoreError) return;
      throw error;
    }
    if (left.length === 0) return;
    const runs = left.map(({ run }) => run);
    env.log.warn(
      { event: 'live.unfinished', runs },
      `the deletion of live data is switched off, with run ${runs.join(', ')} unfinished: see 'bootstrax deletions --unfinished'`,
    );
  }
}
