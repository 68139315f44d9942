import { mkdir } from 'node:fs/promises';

import { signalProcess } from '../../../src/infra/linux/process-identity.ts';
import type { ManagerProcess } from '../../support/lab.ts';
import { HASTE, OURS_LIMITS } from '../../toolchain/haste.ts';
import type { ReferenceManager, Site } from '../../toolchain/site.ts';
import { openAttemptsIn } from '../chaos/stage.ts';
import type { SeatPlan } from './round-plan.ts';

/** Where and how a manager of a round is started. */
export interface Place extends Pick<SeatPlan, 'kind' | 'isApart'> {
  host: string;
  output: string;
  stateDir: string;
  url: string;
}

/** One of the two managers of a round, started anew after each death. */
export class Seat {
  readonly #ours: ManagerProcess[] = [];
  readonly #references: ReferenceManager[] = [];
  /** It is not to be started any more. */
  #isClosed = false;

  readonly #site: Site;

  constructor(
    site: Site,
    readonly place: Place,
  ) {
    this.#site = site;
  }

  get isAlive(): boolean {
    const ours = this.#ours.at(-1);
    if (ours !== undefined) return ours.child.exitCode === null && ours.child.signalCode === null;
    return this.#references.at(-1)?.ended === false;
  }

  async start(): Promise<void> {
    if (this.#isClosed || this.isAlive) return;
    const { kind, host, output, stateDir, url, isApart } = this.place;
    await mkdir(output, { recursive: true });
    if (kind === 'reference') {
      const times = HASTE.reference;
      this.#references.push(await this.#site.referenceProgram(host, times, output));
      return;
    }
    this.#ours.push(
      await this.#site.lab.manager({
        host,
        config: OURS_LIMITS,
        env: {
          BOOTSTRAX_MONGO_URL: url,
          BOOTSTRAX_OUTPUT: output,
          BOOTSTRAX_STATE_DIR: stateDir,
          // What failures leave out is another test's business.
          BOOTSTRAX_SHEDDING: 'reference',
        },
        ...(isApart ? { under: ['unshare', '-n'] } : {}),
      }),
    );
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.isAlive) return;
    this.#ours.at(-1)?.child.kill(signal);
    this.#references.at(-1)?.signal(signal);
  }

  /** Kills what strax runs in for one of our managers; false if there is nothing. */
  killChild(): boolean {
    const child = openAttemptsIn(this.place.stateDir).find((each) => each.child !== null)?.child;
    if (child == null) return false;
    signalProcess(child, 'SIGKILL');
    return true;
  }

  /** Attempts that no manager has concluded. */
  openAttempts(): string[] {
    return openAttemptsIn(this.place.stateDir).map(({ attempt }) => attempt);
  }

  /** No manager is started here any more. */
  close(): void {
    this.#isClosed = true;
    for (const reference of this.#references) reference.killAll();
  }

  async story(): Promise<string> {
    const references = await Promise.all(this.#references.map((each) => each.story()));
    const ours = this.#ours.map(
      (manager) => `${this.place.host} (${manager.child.pid}):\n${manager.story()}`,
    );
    return [...ours, ...references].join('\n---\n');
  }
}
