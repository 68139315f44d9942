import { setImmediate as immediate } from 'node:timers/promises';

import type { Clock } from '../../src/infra/clock/clock.ts';
import { Process, processClock } from '../simulation/process.ts';
import { Random } from '../simulation/random.ts';
import { Time } from '../simulation/time.ts';

/** A clock on which time passes only when the test lets it: what waits then goes on in its order. */
export class SimulatedClock {
  readonly time = new Time();
  readonly clock: Clock = processClock(this.time, new Process(this.time), new Random(1), () => 0);

  /** Lets so much time pass, and everything happen that is due in it. */
  async pass(seconds: number): Promise<void> {
    // What has been begun and has not come to wait yet.
    await immediate();
    let isOver = false;
    this.time.after(seconds, () => (isOver = true));
    while (!isOver) await this.time.step();
  }
}
