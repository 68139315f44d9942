import type { Product } from '../../attempt/attempt.pure.ts';
import { InTheWay } from '../../attempt/files/live-data.ts';
import { inOutput } from '../../attempt/files/place.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { isDiskTrouble } from '../../ports/disk-trouble.ts';
import type { Environment } from '../../ports/environment.ts';
import { untilAnswered, untilWritten } from '../../ports/persist.ts';
import type { Fence } from '../../run/run.port.ts';
import { checkRun, readRun, type Run } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { ABANDON_TAG, HOLD_TAG } from '../../run/run-tags.pure.ts';
import { documentsInWords, SETTLE_NUMBER } from '../../run/same-number.pure.ts';
import { numbered } from '../../run/same-number.store.ts';
import type { DeletionDocument } from './deletion.port.ts';
import {
  configuredRoot,
  liveFolderOf,
  type ProductCheck,
  productsToCheck,
  requiredRawTypes,
  stillOurs,
  type Voucher,
  vouchersOf,
} from './deletion.pure.ts';
import type { DeletionMeans } from './deletion-means.port.ts';

export type DeletionEnd =
  | { kind: 'done'; folder: string; files: number; bytes: number; vouchedBy: readonly string[] }
  /** Final, unless a person requests it again. Nothing was deleted. */
  | { kind: 'refused'; cause: string }
  /** A passing problem: tried again later. */
  | { kind: 'waiting'; problem: string }
  /** The manager ends; the next one goes on. */
  | { kind: 'stopped' };

/** Thrown to end a deletion. */
class End extends Error {
  readonly end: DeletionEnd;
  constructor(end: DeletionEnd) {
    super(end.kind);
    this.end = end;
  }
}

interface Doomed {
  run: Run;
  root: string;
  location: string;
  folder: string;
  files: number;
  bytes: number;
  vouchers: readonly Voucher[];
  how: string;
}

/**
 * Deletes the live data of one run, or continues an interrupted deletion by its record:
 *
 * 1. all products that replace it are read and checked; the record says `deleting` and names them;
 * 2. its folder gets a name that no program takes for data;
 * 3. one update, which lands only if the run is still this host's, takes it out of `data`;
 * 4. the folder is removed.
 *
 * Before 3 has landed nothing is lost, and an interrupted deletion starts again. After it no program uses
 * the live data any more, and only the removal has to be finished.
 */
export async function deleteLiveData(
  env: Environment,
  means: DeletionMeans,
  record: DeletionDocument,
  signal: AbortSignal,
): Promise<DeletionEnd> {
  return ended(signal, () => new DeletionJob(env, means, record, signal).work());
}

/**
 * Finishes or undoes a deletion, for a host that is handed back: live data that has left `data` is
 * removed, other folders get their own name back.
 */
export async function windUpDeletion(
  env: Environment,
  means: DeletionMeans,
  record: DeletionDocument,
  signal: AbortSignal,
): Promise<DeletionEnd> {
  return ended(signal, () => new DeletionJob(env, means, record, signal).windUp());
}

async function ended(signal: AbortSignal, work: () => Promise<DeletionEnd>): Promise<DeletionEnd> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof End) return error.end;
    if (signal.aborted) return { kind: 'stopped' };
    if (error instanceof InTheWay || isDiskTrouble(error)) {
      return { kind: 'waiting', problem: error.message };
    }
    throw error;
  }
}

class DeletionJob {
  readonly #env: Environment;
  readonly #means: DeletionMeans;
  readonly #record: DeletionDocument;
  readonly #signal: AbortSignal;

  constructor(
    env: Environment,
    means: DeletionMeans,
    record: DeletionDocument,
    signal: AbortSignal,
  ) {
    this.#env = env;
    this.#means = means;
    this.#record = record;
    this.#signal = signal;
  }

  async work(): Promise<DeletionEnd> {
    const document = await this.#document();
    const isListed = readRun(document).data.some(({ type }) => type === 'live');
    if (this.#record.state === 'deleting' && !isListed) {
      return this.#finish(document);
    }
    await this.#restore();
    const doomed = await this.#doomed(document);
    await this.#written('the record of the deletion', async () => {
      const { folder, location, files, bytes, vouchers: vouchedBy, how } = doomed;
      const found = { folder, location, files, bytes, vouchedBy, how };
      await this.#env.store.deletions.begin(this.#record.attempt, found);
      return true;
    });
    // Loading may have taken hours.
    const again = await this.#document();
    this.#ours(again);
    await this.#means.liveData.setAside(doomed.root, doomed.run.runId);
    await this.#stillAlone(doomed);
    if ((await this.#withdraw(again, doomed.location, false)) === 'changed') {
      await this.#means.liveData.putBack(doomed.root, doomed.run.runId);
      this.#ours(await this.#document());
      refuse('its live data is not listed any more as it was');
    }
    return this.#remove(doomed.root, doomed.run.runId, doomed);
  }

  /** Another document may have got the number meanwhile, and the folder may hold its live data too. */
  async #stillAlone({ root, run }: Doomed): Promise<void> {
    try {
      await this.#document();
    } catch (error) {
      if (error instanceof End) await this.#means.liveData.putBack(root, run.runId);
      throw error;
    }
  }

  async windUp(): Promise<DeletionEnd> {
    if (this.#record.state === 'deleting') {
      const document = await this.#document();
      if (!readRun(document).data.some(({ type }) => type === 'live'))
        return this.#finish(document);
      await this.#restore();
    }
    return wait('no manager of this host is running to finish it');
  }

  /** The run was taken out of `data` by an earlier manager of this host, if by anybody. */
  async #finish(document: RunDocument): Promise<DeletionEnd> {
    const { folder, location, files, bytes, vouchedBy } = this.#record;
    if (folder === null || location === null) return refuse('its record says no folder');
    const root = configuredRoot(location, this.#env.liveDataRoots);
    if (root === null) return wait(`${location} is no longer the configured folder of live data`);
    const landed = await this.#withdraw(document, location, true);
    if (landed === 'changed') {
      await this.#restore();
      return refuse(`somebody else has taken its live data out of the document; see ${folder}`);
    }
    const found = { folder, files: files ?? 0, bytes: bytes ?? 0, vouchers: vouchedBy };
    return this.#remove(root, this.#runId, found);
  }

  /** What a deletion that was cut has set aside gets its name back, if it is whole. */
  async #restore(): Promise<void> {
    const env = this.#env;
    const means = this.#means;
    const record = this.#record;
    const signal = this.#signal;
    const root =
      record.location === null ? null : configuredRoot(record.location, env.liveDataRoots);
    if (root === null) return;
    const found = await means.liveData.look(root, this.#runId);
    if (found.kind !== 'set_aside') return;
    const { files } = await means.liveData.survey(found.path, signal);
    if (signal.aborted) stop();
    if (files === record.files) await means.liveData.putBack(root, this.#runId);
  }

  get #runId(): string {
    return String(this.#record.run).padStart(6, '0');
  }

  async #remove(
    root: string,
    runId: string,
    { folder, files, bytes, vouchers }: Pick<Doomed, 'folder' | 'files' | 'bytes' | 'vouchers'>,
  ): Promise<DeletionEnd> {
    if (!(await this.#means.liveData.remove(root, runId, this.#signal))) return stop();
    return { kind: 'done', folder, files, bytes, vouchedBy: vouchers.map(({ type }) => type) };
  }

  /** All that has to hold, in the order of what it costs to find out. */
  async #doomed(document: RunDocument): Promise<Doomed> {
    const env = this.#env;
    const record = this.#record;
    const means = this.#means;
    const signal = this.#signal;
    const { run, end } = this.#ours(document);
    const { root, location } = allowed(liveFolderOf(run, env.liveDataRoots));
    const products = await this.#products(run);
    const folder = await this.#folder(root, run);
    for (const path of [env.outputDirectory, env.attempts.directoryOf(record.attempt)]) {
      if (!(await means.liveData.contains(folder, path))) continue;
      refuse(`${path} lies in the folder of its live data`);
    }
    const { files, bytes, obstacle } = await means.liveData.survey(folder, signal);
    if (signal.aborted) stop();
    if (obstacle !== null) wait(obstacle);
    const { products: checked, how } = await this.#check(run, products);
    const { vouchers } = allowed(vouchersOf({ run, end }, products, checked, env.rules.limits));
    return { run, root, location, folder, files, bytes, vouchers, how };
  }

  async #products(run: Run): Promise<Product[]> {
    const env = this.#env;
    const record = this.#record;
    const files = await env.attempts.read(record.attempt);
    const { plan, result } = files ?? { plan: null, result: null };
    if (files === null || plan === null || result === null) {
      return refuse(
        `the result of the attempt is not there any more: ${env.attempts.directoryOf(record.attempt)}`,
      );
    }
    if (!files.concluded) wait('the attempt is not concluded yet');
    const graph = env.graph() ?? wait('the worker has not reported the plugins of the context yet');
    const { types } = allowed(
      requiredRawTypes(run.detectors, graph, plan.context, env.rules.targets),
    );
    const made = inOutput(plan, result);
    return allowed(productsToCheck(run, env.host, types, made)).products;
  }

  /** The folder under its own name. */
  async #folder(root: string, { runId }: Run): Promise<string> {
    const { liveData } = this.#means;
    const found = await liveData.look(root, runId);
    switch (found.kind) {
      case 'there':
        return found.path;
      case 'missing':
        return refuse(`there is no folder ${found.path}`);
      case 'odd':
        return refuse(`${found.path} is left alone: ${found.why}`);
      case 'twice':
        return wait(`${found.aside} is in the way: find out what it is`);
      case 'set_aside':
        return refuse(`${found.path} is the rest of an earlier deletion`);
    }
  }

  async #check(run: Run, products: readonly Product[]): Promise<ProductCheck> {
    try {
      return await this.#means.check(run.runId, products, this.#signal);
    } catch (error) {
      if (this.#signal.aborted) return stop();
      return wait(error instanceof Error ? error.message : String(error));
    }
  }

  #ours(document: RunDocument): { run: Run; end: Date } {
    const env = this.#env;
    const record = this.#record;
    const { host } = env;
    const { attempt } = record;
    const stored = readRun(document);
    return allowed(stillOurs(checkRun(stored), stored.own.lastAttempt, { host, attempt }));
  }

  #withdraw(document: RunDocument, location: string, before: boolean) {
    const fence: Fence = {
      id: document._id,
      attempt: this.#record.attempt,
      host: this.#env.host,
    };
    return this.#written(`the live data of run ${this.#record.run}`, (again) =>
      this.#env.store.runs.withdrawLive(fence, location, {
        unlessTagged: [HOLD_TAG, ABANDON_TAG],
        again: again || before,
      }),
    );
  }

  async #document(): Promise<RunDocument> {
    const found = await this.#answered(`run ${this.#record.run}`, () =>
      this.#env.store.runs.byNumber(this.#record.run),
    );
    // The folder of live data is named by the run number: it is unknown to which document it belongs.
    if (found.length > 1) {
      const named = documentsInWords(numbered(found));
      wait(`${counted(found.length, 'document')} have its number, ${named}; ${SETTLE_NUMBER}`);
    }
    return found[0] ?? refuse('its document is gone');
  }

  async #answered<T>(what: string, ask: () => Promise<T>): Promise<T> {
    return (await untilAnswered(this.#env, what, this.#signal, ask)) ?? stop();
  }

  async #written<T>(what: string, write: (again: boolean) => Promise<T>): Promise<T> {
    return (await untilWritten(this.#env, what, this.#signal, write)) ?? stop();
  }
}

function allowed<T>(answer: ({ kind: 'allowed' } & T) | { kind: 'refused'; cause: string }): T {
  return answer.kind === 'refused' ? refuse(answer.cause) : answer;
}

function refuse(cause: string): never {
  throw new End({ kind: 'refused', cause });
}

function wait(problem: string): never {
  throw new End({ kind: 'waiting', problem });
}

function stop(): never {
  throw new End({ kind: 'stopped' });
}
