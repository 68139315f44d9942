import { resolve } from 'node:path';

import { counted } from '../infra/values/counted.pure.ts';
import type { LogPriority } from '../ports/daq.port.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { runLabel, tellDaq } from '../ports/notify.ts';
import { aboutOneRun } from '../ports/persist.ts';
import { idText } from '../run/document-id.ts';
import { STATUS_TO_REPLACE } from '../run/hand-on.pure.ts';
import { readRun } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { ABANDON_TAG } from '../run/run-tags.pure.ts';
import { documentsInWords, SETTLE_NUMBER } from '../run/same-number.pure.ts';
import { numbered } from '../run/same-number.store.ts';
import type { DebtSeen } from '../run/stored-run.pure.ts';
import { seenOf } from '../run/stored-runs.ts';
import { abandonTagged } from './abandon.ts';
import { productsListed, uncertifiable } from './certification.pure.ts';
import { describeProblem } from './files/products.ts';
import { lacksData } from './live-input.pure.ts';
import { wipeOnlineMonitor } from './online-monitor.ts';

/** Runs of each kind that are read in one pass; the rest comes with the next pass. */
const BATCH = 200;
/** Done runs that began longer ago are left to people: others may have gone on with them. */
const DONE_LOOKED_BACK_SECONDS = 7 * 24 * 3600;

/**
 * Runs that nobody holds and whose documents are not as they should be: tagged to be abandoned, or
 * `done` without the status that hands them on. Whatever others have written stays.
 */
export class LooseEnds {
  readonly #env: Environment;
  /** Since when a done run has been seen as it is now, monotonic seconds. */
  #seenSince = new Map<string, number>();
  #ownSeenSince = new Map<string, number>();
  readonly #endMissed = new Set<string>();
  /** Tagged runs of which it was told that others have their number. */
  readonly #sharingTold = new Set<string>();
  readonly #uncertified = new Set<string>();

  readonly #signal: AbortSignal;

  constructor(env: Environment, signal: AbortSignal) {
    this.#env = env;
    this.#signal = signal;
  }

  /** Of all hosts, as far as it can be seen from here. */
  async tie(): Promise<void> {
    const env = this.#env;
    for (const document of await env.store.runs.waitingTagged(ABANDON_TAG, BATCH)) {
      await aboutOneRun(env, seenOf(document), () => this.#abandon(document));
    }
    const now = await env.store.serverTime();
    const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
    const done = await env.store.runs.doneUnfinished({
      ...{ since: ago(DONE_LOOKED_BACK_SECONDS), limit: BATCH },
      ...{ tag: ABANDON_TAG, taggedSince: ago(env.rules.limits.abandonDoneSeconds) },
    });
    this.#seenSince = await this.#finishAll(done, now, this.#seenSince);
  }

  /** Runs of this host: no other host can check what lies on its disk. */
  async tieOwn(): Promise<void> {
    const { store, host } = this.#env;
    const now = await store.serverTime();
    const since = new Date(now.getTime() - DONE_LOOKED_BACK_SECONDS * 1000);
    const done = await store.runs.doneWithoutStatus({ since, host, limit: BATCH });
    this.#ownSeenSince = await this.#finishAll(done, now, this.#ownSeenSince);
  }

  /** `before`: since when they have been seen as they are; answers the same of these runs. */
  async #finishAll(
    done: readonly RunDocument[],
    now: Date,
    before: ReadonlyMap<string, number>,
  ): Promise<Map<string, number>> {
    const env = this.#env;
    const seenSince = new Map<string, number>();
    for (const document of done) {
      const seen = seenOf(document);
      const { bootstrax, own } = readRun(document);
      const time = bootstrax.time?.getTime() ?? null;
      // While somebody makes what the run lacks, the heartbeats of that one count.
      const held = JSON.stringify(own.debt);
      const key = `${idText(seen.id)} ${time ?? 'never'} ${held}`;
      const first = before.get(key) ?? env.clock.monotonicSeconds();
      seenSince.set(key, first);
      const seenSeconds = env.clock.monotonicSeconds() - first;
      await aboutOneRun(env, seen, () => this.#finish(document, now, seenSeconds));
    }
    return seenSince;
  }

  async #finish(document: RunDocument, now: Date, seenSeconds: number): Promise<void> {
    const { rules } = this.#env;
    const { start, end, tags, own } = readRun(document);
    const ageSeconds = start === null ? Infinity : (now.getTime() - start.getTime()) / 1000;
    const isTagged = tags.includes(ABANDON_TAG);
    if (isTagged && ageSeconds < rules.limits.abandonDoneSeconds) return this.#abandon(document);
    if (end === null) {
      if (seenSeconds > rules.limits.endOfRunSeconds) await this.#sayEndIsMissing(document);
      return;
    }
    if (own.debt !== null) {
      if (seenSeconds > rules.limits.busyLeaseSeconds) {
        await this.#releaseDebt(document, own.debt.seen);
      }
      return;
    }
    // The reference writes `done` and the status one after the other.
    if (seenSeconds > rules.limits.consideringLeaseSeconds) await this.#mendStatus(document);
  }

  async #abandon(document: RunDocument): Promise<void> {
    if (await this.#sharesItsNumber(document)) return;
    if (!(await abandonTagged(this.#env, document))) return;
    const { number } = seenOf(document);
    if (typeof number !== 'number') return;
    await wipeOnlineMonitor(this.#env, { number, id: document._id, attempt: null }, this.#signal);
  }

  /** Programs that delete the data of abandoned runs find it by the number, which is another run's too. */
  async #sharesItsNumber(document: RunDocument): Promise<boolean> {
    const { number } = seenOf(document);
    if (typeof number !== 'number') return false;
    const documents = numbered(await this.#env.store.runs.byNumber(number));
    if (documents.length < 2) return false;
    const key = idText(document._id);
    if (this.#sharingTold.has(key)) return true;
    this.#sharingTold.add(key);
    await this.#tell(
      document,
      'error',
      'run.number_shared',
      `document ${key} of run ${number} is tagged ${ABANDON_TAG} and not abandoned: ${counted(documents.length, 'document')} have this number, ${documentsInWords(documents)}, and the data of an abandoned run is deleted by the number; ${SETTLE_NUMBER}`,
    );
    return true;
  }

  async #mendStatus(document: RunDocument): Promise<void> {
    const seen = seenOf(document);
    const { status, own } = readRun(document);
    if (own.incomplete !== null && lacksData(own.incomplete)) return;
    if (!STATUS_TO_REPLACE.includes(status)) return;
    const found = await this.#look(document);
    // Nothing is known of a disk that is not seen from here: its own host checks it.
    if (found.kind === 'not_seen') return;
    if (found.kind === 'problem') return this.#sayUncertified(document, found.problem);
    if ((await this.#env.store.runs.mendStatus(seen)) !== 'landed') return;
    await this.#tell(
      document,
      'info',
      'run.handed_on',
      `${runLabel(seenOf(document))} was done on ${String(seen.host)} without a status that hands it on: it has one now`,
    );
  }

  /** A run is handed on as complete only after a check, where a host of ours can check it. */
  async #look(
    document: RunDocument,
  ): Promise<{ kind: 'whole' } | { kind: 'problem'; problem: string } | { kind: 'not_seen' }> {
    const { host, products, outputDirectory } = this.#env;
    const listed = productsListed(readRun(document)).map((location) => resolve(location));
    const { number, host: finisher } = seenOf(document);
    const unlisted = uncertifiable(listed, null);
    if (unlisted !== null) return { kind: 'problem', problem: unlisted };
    const seen: { location: string; problem: string | null }[] = [];
    const what = `check the products of run ${String(number)}`;
    const looked = await unlessDiskTrouble(this.#env, what, async () => {
      const found = await products.inspect(outputDirectory, String(number).padStart(6, '0'));
      for (const { location, problems } of found.products) {
        const [problem] = problems;
        seen.push({ location, problem: problem === undefined ? null : describeProblem(problem) });
      }
    });
    const problem = looked ? uncertifiable(listed, seen) : 'its products cannot be checked now';
    if (problem === null) return { kind: 'whole' };
    if (finisher === host) return { kind: 'problem', problem };
    // The same path may be another disk there: a manager of ours sees to its own. Where there was
    // never one, no host could ever check, and the program that called it done has checked.
    const isOurs = (await this.#env.store.hosts.named(String(finisher))) !== null;
    return isOurs ? { kind: 'not_seen' } : { kind: 'whole' };
  }

  async #sayUncertified(document: RunDocument, problem: string): Promise<void> {
    const { number, host } = seenOf(document);
    const key = `${idText(document._id)} ${problem}`;
    if (this.#uncertified.has(key)) return;
    this.#uncertified.add(key);
    await this.#tell(
      document,
      'error',
      'run.not_handed_on',
      `${runLabel(seenOf(document))} is done on ${String(host)} without a status that hands it on, and does not get one: ${problem}. Restore its data, or have it made again: 'bootstrax retry ${String(number)} --even-done --reason TEXT'`,
    );
  }

  /** Its holder is silent: the run is handed on with what it has. */
  async #releaseDebt(document: RunDocument, debt: DebtSeen): Promise<void> {
    const released = await this.#env.store.debts.release(seenOf(document), debt);
    if (released !== 'landed') return;
    await this.#tell(
      document,
      'warning',
      'debt.released',
      `${runLabel(seenOf(document))} stays done with what it had: the attempt at its debt has sent no heartbeat`,
    );
  }

  async #sayEndIsMissing(document: RunDocument): Promise<void> {
    const key = idText(document._id);
    if (this.#endMissed.has(key)) return;
    this.#endMissed.add(key);
    await this.#tell(
      document,
      'error',
      'run.end_missing',
      `${runLabel(seenOf(document))} is done, but the DAQ has not written its end: write it; its data stays as it is`,
    );
  }

  async #tell(
    document: RunDocument,
    priority: Extract<LogPriority, 'info' | 'warning' | 'error'>,
    event: string,
    message: string,
  ): Promise<void> {
    const { number } = seenOf(document);
    this.#env.log[priority === 'warning' ? 'warn' : priority]({ event, run: number }, message);
    await tellDaq(this.#env, priority, message, number);
  }
}
