import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Pace } from '../../../../src/infra/mongo/pace.pure.ts';

const MINUTE_MS = 60_000;
const BEAT_MS = 9000;

interface Following {
  questions: number;
  /** Of all times the part at which an event would be heard of late. */
  deaf: number;
  /** By so much at most, ms. */
  latestMs: number;
}

/** Follows a stream whose server answers at each of these writes (ms, ascending) of others. */
function follow(writes: readonly number[], pace = new Pace()): Following {
  let now = writes[0]! - BEAT_MS;
  let questions = 0;
  let deafMs = 0;
  let latestMs = 0;
  for (let next = 0; next < writes.length;) {
    questions++;
    const asked = now;
    // What was written since the last answer is answered at once.
    now = Math.max(now, writes[next]!);
    while (next < writes.length && writes[next]! <= now) next++;
    const wait = pace.nothing(now - asked);
    deafMs += wait;
    latestMs = Math.max(latestMs, wait);
    now += wait;
  }
  return { questions, deaf: deafMs / (now - writes[0]!), latestMs };
}

/** Heartbeats of hosts that write them together, each within `spreadMs` of the others. */
function beats(hosts: number, minutes: number, spreadMs: number): number[] {
  const writes: number[] = [];
  for (let beat = 9000; beat < minutes * MINUTE_MS; beat += BEAT_MS) {
    for (let host = 0; host < hosts; host++) writes.push(beat + (host * spreadMs) / hosts);
  }
  return writes;
}

describe('a change stream whose server answers at each write of anybody', () => {
  it('is asked on at once where only one manager writes', () => {
    expect(follow(beats(1, 60, 0)).deaf).toBe(0);
  });

  it('is deaf for less than a hundredth of the time where one manager writes twice at times', () => {
    const writes: number[] = [];
    for (let i = 0; i < 600; i++) {
      writes.push(i * BEAT_MS, ...(i % 7 === 0 ? [i * BEAT_MS + 4] : []));
    }
    const { deaf, latestMs } = follow(writes);
    expect(deaf).toBeLessThan(0.005);
    expect(latestMs).toBeLessThanOrEqual(50);
  });

  it.each([
    [2, 20],
    [8, 100],
    [24, 400],
    [100, 800],
  ])(
    'costs each of %i hosts whose heartbeats come together little more than two questions a beat',
    (hosts, spreadMs) => {
      const { questions, deaf, latestMs } = follow(beats(hosts, 60, spreadMs));
      expect(questions).toBeLessThanOrEqual(((60 * MINUTE_MS) / BEAT_MS) * 2.6);
      // For nearly all the time between two beats it hears of a run in the instant.
      expect(deaf).toBeLessThan((1.6 * spreadMs) / BEAT_MS + 0.01);
      expect(latestMs).toBeLessThanOrEqual(Math.max(50, 2 * spreadMs));
    },
  );

  it('costs at most 30 questions a minute where somebody writes all the time', () => {
    const pauses = fc.array(fc.nat({ max: 900 }), { minLength: 600, maxLength: 2000 });
    fc.assert(
      fc.property(pauses, (between) => {
        let now = 0;
        const writes = between.map((pause) => (now += pause));
        const minutes = (now - writes[0]!) / MINUTE_MS;
        expect(follow(writes).questions).toBeLessThanOrEqual(32 * minutes + 50);
      }),
    );
  });

  it('is deaf at no time while a run is taken each few seconds, with all that is written of it', () => {
    const pace = new Pace();
    for (let run = 0; run < 100; run++) {
      expect(pace.nothing(2000)).toBe(0);
      for (let step = 0; step < 4; step++) {
        pace.event();
        for (let write = 0; write < 8; write++) expect(pace.nothing(5)).toBe(0);
      }
    }
  });

  it('is asked on at once where the server answers in its own time', () => {
    const pace = new Pace();
    for (let i = 0; i < 10; i++) expect(pace.nothing(30_000)).toBe(0);
  });

  it('hears of events at once again soon after a time in which all wrote', () => {
    const pace = new Pace();
    for (let i = 0; i < 100; i++) pace.nothing(1);
    follow(beats(1, 2, 0), pace);
    expect(follow(beats(1, 60, 0), pace).deaf).toBe(0);
  });
});
