import type { AttemptBook } from '../../attempt/attempt-book.ts';
import type { Claims } from '../../claim/claim-loop.ts';
import type { ControlResponse } from '../../exclusion/manager-lock.ts';
import type { Deletions } from '../../features/deletion/deletions.ts';
import { type Drain, drainText } from '../../host/drain.ts';
import type { Heartbeat } from '../../host/heartbeat.ts';
import type { HostWatch } from '../../host/host-watch.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Housekeeping } from '../housekeeping.ts';
import { type HandBack, HANDING_BACK, leave } from './handback.ts';

export interface HostParts {
  book: AttemptBook;
  host: HostWatch;
  claims: Claims;
  deletions: Deletions;
  housekeeping: Housekeeping;
  heartbeat: Heartbeat;
}

/** A person keeps this host from taking runs: for a while (drain), or for another program (handback). */
export class KeepingBack {
  readonly #env: Environment;
  readonly #parts: HostParts;
  readonly #changed: () => void;
  #drained: Drain | null = null;
  #handBack: HandBack | null = null;

  /** `changed` is called when the host has to be checked anew. */
  constructor(env: Environment, parts: HostParts, changed: () => void) {
    this.#env = env;
    this.#parts = parts;
    this.#changed = changed;
  }

  get drained(): Drain | null {
    return this.#drained;
  }

  /** Why nothing new is begun here; null: it is. */
  get why(): string | null {
    if (this.#handBack !== null) return HANDING_BACK;
    return this.#drained === null ? null : drainText(this.#drained);
  }

  get handingBack(): boolean {
    return this.#handBack !== null;
  }

  /** Drains the host, until it is null. */
  drain(drain: Drain | null): ControlResponse {
    const { host, deletions } = this.#parts;
    this.#drained = drain;
    const reason = drain === null ? null : drainText(drain);
    // To want runs again means to want the host back.
    if (reason === null) {
      this.#handBack = null;
      deletions.resume();
    }
    host.drain(this.#handBack === null ? reason : HANDING_BACK);
    this.#changed();
    const runs = this.#runs();
    const going = runs.length === 0 ? '' : `; run ${runs.join(', ')} goes on`;
    return {
      ok: true,
      message:
        reason === null ? 'runs are taken again' : `no new run is taken here: ${reason}${going}`,
      runs,
    };
  }

  /** Takes no new run, and ends when the present ones have ended. */
  async handBack(how: HandBack): Promise<ControlResponse> {
    const { host, claims } = this.#parts;
    this.#handBack = { endChildren: how.endChildren || this.#handBack?.endChildren === true };
    host.drain(HANDING_BACK);
    // A claim that is on its way now still belongs to the present ones.
    await claims.settled();
    this.#endChildren();
    this.#changed();
    const runs = this.#runs();
    const ending = this.#handBack.endChildren ? 'is ended: back to the queue, not counted' : 'ends';
    return {
      ok: true,
      message:
        runs.length === 0
          ? 'nothing is being processed here: the manager ends'
          : `no new run is taken; the manager ends when run ${runs.join(', ')} ${ending}`,
      runs,
    };
  }

  /** Nothing is left to be done here, and that is in the databases: the manager is to end. */
  async handedBack(signal: AbortSignal): Promise<boolean> {
    const { book, housekeeping, deletions, heartbeat } = this.#parts;
    if (this.#handBack === null) return false;
    this.#endChildren();
    if (book.size > 0) return false;
    await housekeeping.atStart();
    if (!this.#isOver(signal)) return false;
    await deletions.windUp(signal);
    // That may have taken long enough for a person to want the host back.
    if (!this.#isOver(signal)) return false;
    await heartbeat.end();
    return leave(this.#env, signal);
  }

  #isOver(signal: AbortSignal): boolean {
    return this.#handBack !== null && this.#parts.book.size === 0 && !signal.aborted;
  }

  #endChildren(): void {
    if (this.#handBack?.endChildren !== true) return;
    for (const runner of this.#parts.book.all()) {
      if (runner.ending) continue;
      const reason = 'ended by an operator (bootstrax handback --end-children)';
      runner.end({ kind: 'manager', reason });
    }
  }

  #runs(): number[] {
    return this.#parts.book.all().map(({ run }) => run.number);
  }
}
