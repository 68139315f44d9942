import { describe, expect, it } from 'vitest';

import { CountedHistory } from '../../../../src/dashboard/metrics/attempt-metrics.ts';
import { systemClock } from '../../../../src/infra/clock/clock.ts';
import { StoreError } from '../../../../src/infra/mongo/store-error.ts';
import type { EndedFigures } from '../../../../src/retry/attempt-metrics.pure.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const after = (ms: number) => new Date(NOW + ms);

/** Attempts as a database has them. */
class Attempts {
  readonly all: EndedFigures[] = [];
  asked = 0;
  away = false;

  end(ms: number, outcome = 'done'): void {
    this.all.push({
      ...{ attempt: String(this.all.length), ended: after(ms), ofDebt: false, outcome },
      ...{ cause: 'finished', meaning: null, dropped: 0, seconds: 1, peakMemoryBytes: 1 },
      ...{ bytes: 1, times: {} },
    });
  }

  endedBetween(from: Date, to: Date): Promise<EndedFigures[]> {
    this.asked++;
    if (this.away) return Promise.reject(new StoreError('unreachable', 'away'));
    return Promise.resolve(this.all.filter(({ ended }) => ended >= from && ended < to));
  }
}

function counted(history: CountedHistory, outcome = 'done'): number | undefined {
  const family = history.families().find(({ name }) => name === 'bootstrax_attempts_total');
  return family?.samples.find(({ labels }) => labels?.['outcome'] === outcome)?.value;
}

async function readUntilComplete(history: CountedHistory, now: Date): Promise<void> {
  await history.read(now, 60);
  expect(history.families()[0]?.samples[0]?.value).toBe(1);
}

describe('attempts are counted', () => {
  it('each once: those of the past, those at its edge, and those that end meanwhile', async () => {
    const attempts = new Attempts();
    for (let i = 0; i < 500; i++) attempts.end(-i * 1000);
    for (let day = 1; day < 800; day += 7) attempts.end(-day * DAY);
    // Long before all others: a stop of years.
    attempts.end(-2300 * DAY);
    const history = new CountedHistory(attempts, systemClock);
    await readUntilComplete(history, after(15_000));
    const past = attempts.all.filter(({ ended }) => ended.getTime() < NOW).length;
    expect(counted(history)).toBe(past);
    expect(attempts.asked).toBeLessThan(100);

    attempts.asked = 0;
    for (let seconds = 15; seconds < 900; seconds += 15) {
      attempts.end(seconds * 1000);
      await history.read(after(seconds * 1000), 60);
    }
    await history.read(after(2_000_000), 60);
    expect(counted(history)).toBe(attempts.all.length);
    // One look each time, however long the past.
    expect(attempts.asked).toBeLessThanOrEqual(60);
    const anew = new CountedHistory(attempts, systemClock);
    await readUntilComplete(anew, after(2_000_000));
    expect(anew.families()).toEqual(history.families());
  });

  it('once their end is settled, and also if it was seen late', async () => {
    const attempts = new Attempts();
    const history = new CountedHistory(attempts, systemClock);
    await readUntilComplete(history, after(0));
    attempts.end(1000);
    await history.read(after(10_000), 60);
    expect(counted(history)).toBe(0);
    // What it was decided to be did not come about.
    attempts.all[0]!.outcome = 'superseded';
    await history.read(after(30_000), 60);
    expect(counted(history)).toBe(0);
    expect(counted(history, 'superseded')).toBe(1);
    attempts.end(2000, 'failed');
    await history.read(after(200_000), 60);
    await history.read(after(400_000), 60);
    expect(counted(history, 'failed')).toBe(1);
    expect(counted(history, 'superseded')).toBe(1);
  });

  it('by several who ask at the same time', async () => {
    const attempts = new Attempts();
    for (let i = 0; i < 50; i++) attempts.end(-i * 10_000);
    const history = new CountedHistory(attempts, systemClock);
    await Promise.all([0, 1, 2].map((ms) => history.read(after(20_000 + ms), 60)));
    expect(counted(history)).toBe(50);
  });

  it('and none is told of before all of the past is counted', async () => {
    const attempts = new Attempts();
    attempts.end(-1000 * DAY);
    attempts.end(-1000);
    const history = new CountedHistory(attempts, systemClock);
    await history.read(after(20_000), 0);
    expect(history.families().map(({ name }) => name)).toEqual(['bootstrax_history_complete']);
    await readUntilComplete(history, after(20_000));
    expect(counted(history)).toBe(2);
  });

  it('after an outage as if there had been none', async () => {
    const attempts = new Attempts();
    for (let day = 1; day < 50; day++) attempts.end(-day * DAY);
    const history = new CountedHistory(attempts, systemClock);
    attempts.away = true;
    await expect(history.read(after(0), 60)).rejects.toThrow('away');
    attempts.away = false;
    await readUntilComplete(history, after(60_000));
    attempts.away = true;
    attempts.end(100_000);
    await expect(history.read(after(130_000), 60)).rejects.toThrow('away');
    attempts.away = false;
    await history.read(after(900_000), 60);
    expect(counted(history)).toBe(50);
  });
});
