import { join } from 'node:path';

import type { Started } from '../../attempt/attempt.pure.ts';
import type { AttemptMemory } from '../../host/memory.pure.ts';
import { monotonicMs, systemClock } from '../../infra/clock/clock.ts';
import type { ProcessIdentity } from '../../infra/linux/process-identity.pure.ts';
import { isAlive } from '../../infra/linux/process-identity.ts';
import {
  type AttemptProcesses,
  attemptProcesses,
  endSession,
  writersOf,
} from '../../infra/linux/processes.ts';
import type { AttemptTrace } from '../executor.ts';
import type { Life, Reach, ReachEnd, Where } from '../reach.ts';
import { keepEvidence } from './evidence.ts';
import { lifeOf } from './life.pure.ts';
import { MemoryMeter } from './memory-meter.ts';
import { clearSharedMemory } from './shared-memory.ts';

/** Stands for a process that is not known: those of the attempt are then found by the log they write to. */
const NOBODY: ProcessIdentity = { pid: 1, startTicks: 0, bootId: 'none' };

/** The processes of an attempt on this machine. */
export class LocalReach implements Reach {
  readonly #attempt: string;
  readonly #directory: string;
  readonly #madeMs = monotonicMs(systemClock);
  readonly #meter = new MemoryMeter();
  #guardian: ProcessIdentity | null;
  #child: ProcessIdentity | null = null;
  #isEnded = false;

  /** `guardian`: as the worker named it, before `started.json` was read. */
  constructor({ id, directory, started }: AttemptTrace, guardian: ProcessIdentity | null = null) {
    this.#attempt = id;
    this.#directory = directory;
    this.#guardian = guardian;
    if (started !== null) this.begun(started);
  }

  get where(): Where {
    return { executor: 'local', guardian: this.#guardian };
  }

  begun({ guardian, child }: Started): void {
    this.#guardian = guardian;
    this.#child = child;
  }

  life(): Life {
    return lifeOf({
      ...{ guardian: this.#guardian, child: this.#child, isEnded: this.#isEnded, isAlive },
      isLogWritten: () => writersOf(this.#logFile).length > 0,
      waitedSeconds: (monotonicMs(systemClock) - this.#madeMs) / 1000,
    });
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  /** Its files and this machine tell all there is. */
  verdict(): null {
    return null;
  }

  /** Whether anything of it runs, also what has left guardian and child: all of /proc is read. */
  hasProcesses(): boolean {
    return attemptProcesses(this.#processes).length > 0;
  }

  async end(graceSeconds: number): Promise<ReachEnd> {
    const { survivors } = await endSession(this.#processes, { graceSeconds });
    if (survivors.length > 0) {
      const left = `processes ${survivors.join(', ')}`;
      return { kind: 'unconfirmed', left };
    }
    this.#isEnded = true;
    return { kind: 'ended' };
  }

  evidence(patienceSeconds: number): Promise<string | null> {
    return keepEvidence(this.#directory, this.#processes, patienceSeconds);
  }

  async memory(shareBytes: number): Promise<AttemptMemory> {
    const bytes = await this.#meter.read(this.#processes, shareBytes);
    return { bytes, limitBytes: shareBytes, isOfThisMachine: true };
  }

  clean(): Promise<string[]> {
    return clearSharedMemory(this.#attempt);
  }

  get #logFile(): string {
    return join(this.#directory, 'log.txt');
  }

  get #processes(): AttemptProcesses {
    const guardian = this.#guardian ?? NOBODY;
    return { guardian, child: this.#child ?? guardian, logFile: this.#logFile };
  }
}
