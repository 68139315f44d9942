import type { AttemptBook } from '../attempt/attempt-book.ts';
import type { Claims } from '../claim/claim-loop.ts';
import type { Fleet } from '../claim/fleet.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase } from '../ports/persist.ts';
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

export interface HintHandlers {
  /** There is something to do now. */
  ring: () => void;
  /** An internal error: only a new start helps. */
  failed: (error: unknown) => void;
}

/** Hears of changes in the database and says whom they concern. Without it everything is polled. */
export class Hints {
  readonly #env: Environment;
  readonly #parts: HintedParts;
  readonly #handlers: HintHandlers;
  readonly #ends: AbortSignal;
  #isStreaming = false;
  #isListening = false;

  constructor(env: Environment, parts: HintedParts, handlers: HintHandlers, ends: AbortSignal) {
    this.#env = env;
    this.#parts = parts;
    this.#handlers = handlers;
    this.#ends = ends;
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
    this.#watchRuns();
    this.#watchActions();
  }

  #watchActions(): void {
    this.#isListening = true;
    this.#env.store.actions
      .watch(() => this.#parts.asked.noticed(), this.#ends)
      .then(
        () => (this.#isListening = false),
        (error: unknown) => this.#handlers.failed(error),
      );
  }

  #watchRuns(): void {
    const { store } = this.#env;
    this.#isStreaming = true;
    store.runs
      .watch(
        (hint) => {
          const isToLook = hint === null || this.#parts.claims.hinted(hint);
          const isMarked = hint === null || hint.touched.some(isMark);
          if (isMarked) this.#parts.housekeeping.marksChanged();
          const isMended = hint === null || hint.touched.some(isOfDaq);
          if (isMended) this.#parts.housekeeping.documentChanged();
          const runner = hint === null ? null : this.#parts.book.ofRun(hint.id);
          if (runner !== null) {
            runner.look().then(
              // A person may have taken it away.
              () => {
                if (runner.ending) this.#parts.asked.noticed();
              },
              (error: unknown) => {
                if (!isOfDatabase(error)) this.#handlers.failed(error);
              },
            );
          }
          const isDuty = (isMarked || isMended) && this.#parts.fleet.dutyRank() === 0;
          if (isToLook || isDuty) this.#handlers.ring();
        },
        this.#ends,
        { onAnswer: () => this.#parts.claims.heard(), rest: () => this.#parts.claims.rest() },
      )
      .then(
        (end) => {
          this.#isStreaming = false;
          if (end === 'unsupported') {
            this.#env.log.info(
              { event: 'stream.unsupported' },
              'the server has no change streams: polling',
            );
          }
        },
        (error: unknown) => this.#handlers.failed(error),
      );
  }
}

/** A field that the DAQ writes once, and people mend. */
function isOfDaq(field: string): boolean {
  return /^(start|end|mode|detectors|daq_config)(\.|$)/.test(field);
}

/** A field of a run by which people tell hosts what to do with it. */
function isMark(field: string): boolean {
  return field === 'number' || field.startsWith('tags');
}
