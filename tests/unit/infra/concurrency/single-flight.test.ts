import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Coalesced } from '../../../../src/infra/concurrency/coalesced.ts';
import { OneAtATime } from '../../../../src/infra/concurrency/one-at-a-time.ts';
import { SingleFlight } from '../../../../src/infra/concurrency/single-flight.ts';
import { SimulatedClock } from '../../../support/simulated-clock.ts';

/** After how many milliseconds somebody asks, how long the work takes then, and whether it fails. */
const requests = fc.array(
  fc.record({ after: fc.nat({ max: 50 }), takes: fc.nat({ max: 50 }), fails: fc.boolean() }),
  { maxLength: 30 },
);

/** Counts works under way, of which there may be one. */
class Works {
  readonly world = new SimulatedClock();
  begun = 0;
  most = 0;
  #now = 0;

  async work({ takes, fails }: { takes: number; fails: boolean }): Promise<number> {
    const mine = ++this.begun;
    this.most = Math.max(this.most, ++this.#now);
    await this.world.clock.sleep(takes / 1000);
    this.#now--;
    if (fails) throw new Error('failed on purpose');
    return mine;
  }
}

test('however often and whenever it is asked for, at most one work is in flight, and the next one begins a new flight', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (asked) => {
      const works = new Works();
      const flight = new SingleFlight<number>();
      const answers: Promise<number | null>[] = [];
      for (const { after, ...request } of asked) {
        await works.world.pass(after / 1000);
        const wasInFlight = flight.inFlight;
        const before = works.begun;
        answers.push(flight.run(() => works.work(request)).catch(() => null));
        expect(works.begun).toBe(wasInFlight ? before : before + 1);
      }
      await works.world.pass(1);
      await Promise.all(answers);
      expect(works.most).toBeLessThanOrEqual(1);
      expect(flight.inFlight).toBe(false);
    }),
  );
});

test('a work that asks for itself gets its own flight, and begins no second one', async () => {
  const flight = new SingleFlight<string>();
  let inner: Promise<string> | null = null;
  let begun = 0;
  const answer = await flight.run(() => {
    begun++;
    inner = flight.run(() => Promise.reject(new Error('a second flight')));
    return Promise.resolve('the first');
  });
  expect([answer, await inner!, begun]).toEqual(['the first', 'the first', 1]);
});

test('every request is followed by a whole round that began after it, one round at a time', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (asked) => {
      const works = new Works();
      const rounds: { begun: number; ended: number }[] = [];
      let takes = 0;
      const coalesced = new Coalesced(async () => {
        const begun = rounds.push({ begun: asking, ended: -1 }) - 1;
        await works.work({ takes, fails: false });
        rounds[begun]!.ended = rounds.length;
      });
      let asking = 0;
      const answers: Promise<void>[] = [];
      for (const { after, takes: next } of asked) {
        await works.world.pass(after / 1000);
        takes = next;
        const request = ++asking;
        const isAnswered = coalesced.request().then(() => {
          expect(rounds.some(({ begun, ended }) => begun >= request && ended >= 0)).toBe(true);
        });
        answers.push(isAnswered);
      }
      await works.world.pass(10);
      await Promise.all(answers);
      expect(works.most).toBeLessThanOrEqual(1);
      expect(works.begun).toBeLessThanOrEqual(asked.length);
      expect(coalesced.isOpen).toBe(false);
    }),
  );
});

test('a round that fails is told to whoever asked, and stays due', async () => {
  let fails = true;
  const coalesced = new Coalesced(() =>
    fails ? Promise.reject(new Error('failed on purpose')) : Promise.resolve(),
  );
  await expect(coalesced.request()).rejects.toThrow('on purpose');
  expect(coalesced.isOpen).toBe(true);
  fails = false;
  await coalesced.request();
  expect(coalesced.isOpen).toBe(false);
});

test('works are carried out one at a time in the order in which they came, whichever of them fail', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (asked) => {
      const works = new Works();
      const queue = new OneAtATime();
      const answers: Promise<number | 'failed'>[] = [];
      for (const { after, ...request } of asked) {
        await works.world.pass(after / 1000);
        answers.push(queue.run(() => works.work(request)).catch(() => 'failed' as const));
      }
      let isIdle = false;
      const idle = queue.idle().then(() => (isIdle = true));
      await works.world.pass(10);
      await idle;
      expect(isIdle).toBe(true);
      expect(works.most).toBeLessThanOrEqual(1);
      expect(await Promise.all(answers)).toEqual(
        asked.map(({ fails }, i) => (fails ? 'failed' : i + 1)),
      );
    }),
  );
});
