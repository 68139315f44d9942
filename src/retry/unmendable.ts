import type { ObjectId } from 'mongodb';

import { resolveLiveDirectory } from '../plan/plan.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { runLabel, tellDaq } from '../ports/notify.ts';
import { aboutOneRun } from '../ports/persist.ts';
import { checkRun, readRun, type Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { seenOf } from '../run/stored-runs.ts';
import { isMended, type LiveLook } from './unmendable.pure.ts';

/** Most runs in one pass; the next pass reads on. */
const BATCH = 200;

/**
 * Requeues runs that were set aside for a fault of their document or live data, once the fault is
 * corrected.
 */
export class SetAsideFaults {
  readonly #env: Environment;
  /** The next pass begins after this one. */
  #after: ObjectId | null = null;

  constructor(env: Environment) {
    this.#env = env;
  }

  async look(): Promise<void> {
    const found = await this.#env.store.runs.setAsideForFault(this.#after, BATCH);
    this.#after = found.length < BATCH ? null : (found.at(-1)?._id ?? null);
    for (const document of found) {
      await aboutOneRun(this.#env, seenOf(document), () => this.#lookAt(document));
    }
  }

  async #lookAt(document: RunDocument): Promise<void> {
    const env = this.#env;
    const stored = readRun(document);
    const parsed = checkRun(stored);
    if (parsed.kind === 'malformed') return;
    const { run } = parsed;
    const { malformed: problems, faultSeen } = stored.own;
    const live = await this.#liveOf(run, faultSeen !== null);
    if (!isMended({ problems, faultSeen, parsed, live })) return;
    const seen = seenOf(document);
    const { failures } = run.bootstrax;
    if ((await env.store.runs.retry(seen, env.host, failures)) !== 'landed') return;
    const message = `${runLabel(seen)} goes back to the queue: the fault for which it was set aside is corrected`;
    env.log.info({ event: 'run.corrected', run: run.number }, message);
    await tellDaq(env, 'info', message, run.number);
  }

  async #liveOf(run: Run, thorough: boolean): Promise<LiveLook> {
    const live = resolveLiveDirectory(run, this.#env.liveDataRoots);
    switch (live.kind) {
      case 'directory':
        return this.#env.machine.liveData(live.path, { thorough });
      case 'run_problem':
        return { kind: 'missing', path: '' };
      case 'host_problem':
        return { kind: 'unseen', why: live.reason };
      case 'malformed':
        return { kind: 'unseen', why: 'its location cannot be read' };
    }
  }
}
