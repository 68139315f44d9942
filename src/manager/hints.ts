import type { AttemptBook } from '../attempt/attempt-book.ts';
import type { Runner } from '../attempt/runner.ts';
import type { Claims } from '../claim/claim-loop.ts';
import type { Fleet } from '../claim/fleet.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase } from '../ports/persist.ts';
import type { RunHint } from '../run/run.port.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { Asked } from './requested-actions.ts';

/** Whom a change in the database may concern. */
export interface HintedParts {
  book: AttemptBook;
  claims: Claims;
  fleet: Fleet;
  housekeeping: Housekeeping;
  asked: Asked;
}

/** Hears of changes in the database and says whom they concern. Without it everything is polled. */
export class Hints {
  readonly #env: Environment;
  readonly #parts: HintedParts;
  readonly #ring: () => void;
  #isStreaming = false;
  #isListening = false;

  /** `ring` is called when there is something to do now. */
  constructor(env: Environment, parts: HintedParts, ring: () => void) {
    this.#env = env;
    this.#parts = parts;
    this.#ring = ring;
  }

  /** The server tells of changed runs. */
  get streaming(): boolean {
    return this.#isStreaming;
  }

  /** What people ask for would be noticed at once. */
  get listening(): boolean {
    return this.#isListening;
  }

  begin(): void {
    if (!this.#env.changeStream) return;
    this.#env.tasks.start('the change stream of runs', () => this.#watchRuns());
    this.#env.tasks.start('the change stream of actions', () => this.#watchActions());
  }

  async #watchActions(): Promise<void> {
    const { store, tasks } = this.#env;
    this.#isListening = true;
    await store.actions.watch(() => this.#parts.asked.noticed(), tasks.signal);
    this.#isListening = false;
  }

  async #watchRuns(): Promise<void> {
    const { store, tasks, log } = this.#env;
    this.#isStreaming = true;
    const end = await store.runs.watch((hint) => this.#hinted(hint), tasks.signal, {
      onAnswer: () => this.#parts.claims.heard(),
      rest: () => this.#parts.claims.rest(),
    });
    this.#isStreaming = false;
    if (end !== 'unsupported') return;
    log.info({ event: 'stream.unsupported' }, 'the server has no change streams: polling');
  }

  /** Null: any run may have changed. */
  #hinted(hint: RunHint | null): void {
    const { claims, housekeeping, book, fleet } = this.#parts;
    const isToLook = hint === null || claims.hinted(hint);
    const isMarked = hint === null || hint.touched.some(isMark);
    if (isMarked) housekeeping.marksChanged();
    const isMended = hint === null || hint.touched.some(isOfDaq);
    if (isMended) housekeeping.documentChanged();
    const runner = hint === null ? null : book.ofRun(hint.id);
    if (runner !== null) this.#env.tasks.start('reading a run in work', () => this.#read(runner));
    const isDuty = (isMarked || isMended) && fleet.dutyRank() === 0;
    if (hint === null || isDuty) claims.changed();
    if (isToLook || isDuty) this.#ring();
  }

  async #read(runner: Runner): Promise<void> {
    try {
      await runner.look();
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      return;
    }
    // A person may have taken it away.
    if (runner.ending) this.#parts.asked.noticed();
  }
}

/** A field that the DAQ writes once, and people correct. */
function isOfDaq(field: string): boolean {
  return /^(start|end|mode|detectors|daq_config)(\.|$)/.test(field);
}

/** A field of a run by which people tell hosts what to do with it. */
function isMark(field: string): boolean {
  return field === 'number' || field.startsWith('tags');
}
