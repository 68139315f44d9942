import type { AttemptBook } from '../attempt/attempt-book.ts';
import { Attempt } from '../attempt/attempt-machine.ts';
import type { Life } from '../attempt/attempt-policy.ts';
import { RunPolicy, type RunTaken } from '../attempt/run-policy.ts';
import type { Runner } from '../attempt/runner.ts';
import type { ControlResponse } from '../exclusion/manager-lock.ts';
import { within } from '../infra/concurrency/deadline.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase, leaveAlone } from '../ports/persist.ts';

/** A newer manager waits 3 s for the end of this one: what takes longer is left to the next start. */
const GIVE_BACK_SECONDS = 2;

export interface AttemptsHandlers {
  /** An attempt has come further. */
  advanced: () => void;
  /** An attempt has come to its end, and its place is free. */
  ended: () => void;
}

/** The attempts of this manager: each is in the book from its beginning to its end. */
export class AttemptsHere {
  readonly #env: Environment;
  readonly #book: AttemptBook;
  readonly #handlers: AttemptsHandlers;

  constructor(env: Environment, book: AttemptBook, handlers: AttemptsHandlers) {
    this.#env = env;
    this.#book = book;
    this.#handlers = handlers;
  }

  atRun(taken: RunTaken): Attempt {
    const hooks = { onPhase: () => this.#handlers.advanced(), managerEnds: this.#env.tasks.signal };
    const { fence, to: on } = taken;
    const policyOf = (life: Life) => new RunPolicy(this.#env, taken, life);
    return new Attempt(this.#env, { fence, on, policyOf }, hooks);
  }

  /** Lives on by itself from here. */
  begin(runner: Runner, work: () => Promise<void>): void {
    this.#book.add(runner);
    this.#handlers.advanced();
    const { tasks } = this.#env;
    tasks.start(`an attempt at run ${runner.run.number}`, async () => {
      await this.#finished(runner, work());
      // When the manager ends, what goes on stays in the book: it is reported.
      if (tasks.signal.aborted) return;
      this.#book.remove(runner);
      this.#handlers.ended();
    });
  }

  /** What the database refuses concerns this run alone: what is on disk of it is found again later. */
  async #finished(runner: Runner, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      const { fence, run } = runner;
      await leaveAlone(this.#env, { id: fence.id, number: run.number }, error);
    }
  }

  /** At a person's request: their runs go back to the queue. */
  stopAll(): ControlResponse {
    const runners = this.#book.all();
    for (const runner of runners) {
      runner.end({ kind: 'manager', reason: 'stopped by an operator (bootstrax stop --children)' });
    }
    const runs = runners.map(({ run }) => run.number);
    return {
      ok: true,
      message:
        runs.length === 0
          ? 'nothing is being processed here'
          : `ending run ${runs.join(', ')}: back to the queue, not counted`,
      runs,
    };
  }

  /** After the end that a person wanted: what was claimed and not begun is free for others at once. */
  async giveBack(): Promise<void> {
    const over = new AbortController();
    const given = this.#book.all().map(async (runner) => {
      if (await runner.giveBack(over.signal)) this.#book.remove(runner);
    });
    await within(this.#env.clock, GIVE_BACK_SECONDS, Promise.all(given));
    over.abort();
  }

  /** After the end: which runs go on without a manager, and how to stop them; which were not begun. */
  sayWhatGoesOn(): void {
    const all = this.#book.all();
    const numbers = (runners: readonly Runner[]) => runners.map(({ run }) => run.number);
    // An attempt that is still searched for may be at work.
    const mayGoOn = ({ reach, phase }: Runner) => reach !== null || phase === 'finding';
    const unbegun = numbers(all.filter((runner) => !mayGoOn(runner)));
    if (unbegun.length > 0) {
      this.#env.log.info(
        { event: 'manager.claims_left', runs: unbegun },
        `run ${unbegun.join(', ')} was not begun: the next start gives it back, or another host takes ` +
          `it over after ${this.#env.rules.limits.consideringLeaseSeconds} s`,
      );
    }
    const runs = numbers(all.filter(mayGoOn));
    if (runs.length === 0) return;
    this.#env.log.info(
      { event: 'manager.children_go_on', runs },
      `run ${runs.join(', ')} goes on without a manager; the next start takes it over. ` +
        `To end it: start the manager and use 'bootstrax stop --children'`,
    );
  }
}
