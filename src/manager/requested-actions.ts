import type { ControlResponse } from '../exclusion/manager-lock.ts';
import type { ActionDocument } from '../features/actions/action.port.ts';
import {
  type HostActionKind,
  isActionKind,
  isHostAction,
  isRunAction,
} from '../features/actions/action-table.pure.ts';
import { hostSeen } from '../features/actions/seen.pure.ts';
import { isStranded, recover, unknownText } from '../features/actions/unfinished-actions.ts';
import type { Drain } from '../host/drain.ts';
import type { Clock } from '../infra/clock/clock.ts';
import { Coalesced } from '../infra/concurrency/coalesced.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase, unlessRefused } from '../ports/persist.ts';

/** A change stream may stay silent although something has happened. */
const SLOW_POLL_SECONDS = 300;
/** Without one; who asks at the same machine says so, and what ends an attempt is seen at the run. */
const LOOK_SECONDS = 60;
/** The process that wrote the request is about to carry it out. */
const ABOUT_TO_SECONDS = 5;
const SECONDS_PER_HOUR = 3600;
/** Newest actions of this host that are searched for a later one. */
const LATEST = 20;

/** What it needs of the manager's surroundings. */
export interface AskedEnvironment extends Pick<Environment, 'host' | 'store' | 'log' | 'tasks'> {
  clock: Pick<Clock, 'monotonicSeconds'>;
}

/** Of an attempt of this host, what it takes to end it. */
interface OwnAttempt {
  fence: { attempt: string };
  look: () => Promise<void>;
}

export interface AskedParts {
  book: { all: () => readonly OwnAttempt[] };
  drained: () => Drain | null;
  drain: (drain: Drain | null) => Promise<ControlResponse>;
}

/**
 * What people have asked of this host through the database: it is carried out here, and told there.
 * And what others have asked for who could not finish it.
 */
export class Asked {
  readonly #env: AskedEnvironment;
  readonly #parts: AskedParts;
  #lookedAt = -Infinity;
  /** An action that may be unfinished is read then, in monotonic seconds. */
  #againAt = Infinity;
  /** What is noticed during a read is read afterwards. */
  readonly #looking = new Coalesced(() => this.#carryOut());
  readonly #carriers: Readonly<Record<HostActionKind, (action: ActionDocument) => Promise<void>>> =
    {
      drain: (action) => this.#drain(action),
      undrain: (action) => this.#undrain(action),
    };

  constructor(env: AskedEnvironment, parts: AskedParts) {
    this.#env = env;
    this.#parts = parts;
  }

  /** Something has been asked for, or an attempt that somebody waits for has ended. */
  noticed(): void {
    this.#env.tasks.start('what people have asked of this host', async () => {
      try {
        await this.#looking.request();
      } catch (error) {
        if (!isOfDatabase(error)) throw error;
      }
    });
  }

  /** Does what is due; `streaming`: it would be noticed. Throws a `StoreError` in an outage. */
  async look(streaming: boolean): Promise<void> {
    await this.#endDrain();
    const now = this.#env.clock.monotonicSeconds();
    const dueSeconds = streaming ? SLOW_POLL_SECONDS : LOOK_SECONDS;
    const isQuiet = now - this.#lookedAt < dueSeconds && now < this.#againAt;
    if (!isQuiet || this.#looking.isOpen) await this.#looking.request();
  }

  async #carryOut(): Promise<void> {
    const { store, host, clock } = this.#env;
    const open = await store.actions.open();
    this.#lookedAt = clock.monotonicSeconds();
    this.#againAt = Infinity;
    for (const action of open) {
      if (action.awaits !== host) continue;
      await unlessRefused(this.#env, `what ${action.by} has asked for`, () => this.#own(action));
    }
    const others = open.filter(({ awaits }) => awaits === null);
    if (others.length === 0) return;
    const now = await store.serverTime();
    for (const action of others) {
      if (isStranded(action, now)) {
        const what = `what became of what ${action.by} has asked for`;
        await unlessRefused(this.#env, what, () => recover(store, action, this.#env.log));
      } else this.#againAt = this.#lookedAt + ABOUT_TO_SECONDS;
    }
  }

  #own(action: ActionDocument): Promise<void> {
    const { kind } = action;
    if (!isActionKind(kind)) return this.#refuseUnknown(action);
    if (isHostAction(kind)) return this.#carriers[kind](action);
    if (isRunAction(kind) && action.attempt !== null) return this.#ended(action);
    return this.#refuseUnknown(action);
  }

  /** Another release, or a broken document, asks for what this manager cannot do. */
  async #refuseUnknown({ id, kind }: ActionDocument): Promise<void> {
    const { store, host, log } = this.#env;
    log.error({ event: 'action.unknown', action: id, kind }, unknownText(kind));
    await store.actions.refuse(id, unknownText(kind), host);
  }

  /** An attempt of this host has lost its run: it is told when nothing of it is left. */
  async #ended({ id, state, attempt, run, kind, message }: ActionDocument): Promise<void> {
    const { store, host, log } = this.#env;
    const runner = this.#parts.book.all().find((each) => each.fence.attempt === attempt);
    if (runner === undefined) {
      const what = `its attempt on ${host} has ended: no process of it is left`;
      await store.actions.done(id, {
        message: message === null ? what : `${message.replace(/\.$/, '')}; ${what}.`,
        host,
      });
      log.info({ event: 'action.done', action: id, run }, `${kind} of run ${run ?? '?'}: ${what}`);
      return;
    }
    if (state === 'requested') await store.actions.seen(id, host);
    await runner.look();
  }

  async #drain(action: ActionDocument): Promise<void> {
    const { store, host } = this.#env;
    const { id, by, reason, hours, requested } = action;
    const present = this.#parts.drained();
    if (present?.action === id) return this.#done(action, 'It takes no new run.', present);
    if (await this.#isChanged(action)) return;
    // Whoever waits for a host that comes back late still meant these hours.
    const expires =
      hours === null ? null : new Date(requested.getTime() + hours * SECONDS_PER_HOUR * 1000);
    if (expires !== null && expires <= (await store.serverTime())) {
      await store.actions.refuse(id, `${host} has noticed it only when its time was over`, host);
      return;
    }
    await store.actions.seen(id, host);
    const drain: Drain = { reason: `drained by ${by}: ${reason}`, expires, action: id };
    const { message } = await this.#parts.drain(drain);
    await this.#done(action, message, drain);
  }

  async #undrain(action: ActionDocument): Promise<void> {
    const { store, host } = this.#env;
    // It was carried out, and the manager ended before it could tell.
    const isHalfDone = action.state === 'seen' && this.#parts.drained() === null;
    if (!isHalfDone && (await this.#isChanged(action))) return;
    await store.actions.seen(action.id, host);
    const { message } = await this.#parts.drain(null);
    await this.#done(action, message, null);
  }

  async #isChanged({ id, saw, requested }: ActionDocument): Promise<boolean> {
    const { store, host } = this.#env;
    const later = (await store.actions.list({ host, limit: LATEST })).find(
      (other) => other.state === 'done' && isOfDrain(other) && other.requested > requested,
    );
    if (later !== undefined) {
      await store.actions.refuse(id, `${later.by} has asked to ${later.kind} ${host} since`, host);
      return true;
    }
    const is = hostSeen(shownDrain(this.#parts.drained()));
    if (is === saw) return false;
    const why = `${host} was changed meanwhile. It was: ${saw}. It is: ${is}`;
    await store.actions.refuse(id, why, host);
    return true;
  }

  async #done({ id, kind }: ActionDocument, message: string, drain: Drain | null): Promise<void> {
    const { store, host, log } = this.#env;
    const expires = drain?.expires ?? null;
    await store.actions.done(id, {
      ...{ message, expires, host, after: { drained: shownDrain(drain) } },
    });
    log.info({ event: 'action.done', action: id }, `${kind} of ${host}: ${message}`);
  }

  async #endDrain(): Promise<void> {
    const expires = this.#parts.drained()?.expires ?? null;
    if (expires === null || (await this.#env.store.serverTime()) < expires) return;
    this.#env.log.info({ event: 'host.undrained' }, 'the time for which it was drained is over');
    await this.#parts.drain(null);
  }
}

const isOfDrain = ({ kind }: ActionDocument): boolean => isActionKind(kind) && isHostAction(kind);

/** As the host's document has it. */
export function shownDrain(drain: Drain | null): { reason: string; expires: string | null } | null {
  if (drain === null) return null;
  return { reason: drain.reason, expires: drain.expires?.toISOString() ?? null };
}
