import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { hintMeaning, Prospects } from '../../../src/claim/prospects.ts';
import type { RunHint } from '../../../src/run/run.port.ts';
import { HandTasks } from '../../support/hand-tasks.ts';

const ID = new ObjectId();
const INSERTED: RunHint = { kind: 'insert', id: ID, number: 7, touched: [] };
const updated = (touched: string[], state?: unknown): RunHint => ({
  ...{ kind: 'update', id: ID, number: null, touched },
  ...(state === undefined ? {} : { state }),
});

describe('an update of a run', () => {
  it.each([
    ['free', INSERTED],
    ['free', updated(['bootstrax.state'], null)],
    ['perhaps', updated(['bootstrax.state', 'bootstrax.next_retry'], 'failed')],
    ['perhaps', updated(['tags'])],
    ['perhaps', updated(['tags.0.name'])],
    ['perhaps', updated(['bootstrax.next_retry'])],
    ['perhaps', updated(['bootstrax'])],
    ['taken', updated(['bootstrax.state'], 'considering')],
    ['taken', updated(['bootstrax'], 'busy')],
    ['taken', updated(['bootstrax.state', 'status'], 'done')],
    ['taken', updated(['bootstrax.state'], 'abandoned')],
    ['nothing', updated(['end', 'status', 'rate'])],
    ['nothing', updated(['data.4', 'comments'])],
    ['nothing', updated(['bootstrax.started_processing'])],
  ] as const)('means %s: %j', (meaning, hint) => {
    expect(hintMeaning(hint)).toBe(meaning);
  });
});

class Seat {
  rings = 0;
  readonly #waiting: { seconds: number; wake: () => void }[] = [];
  readonly prospects: Prospects;

  constructor(rank: number) {
    const sleep = (seconds: number) =>
      new Promise<void>((wake) => void this.#waiting.push({ seconds, wake }));
    const clock = { sleep } as unknown as ConstructorParameters<typeof Prospects>[0]['clock'];
    this.prospects = new Prospects(
      { clock, tasks: new HandTasks() },
      () => rank,
      () => this.rings++,
    );
  }

  get waits(): number[] {
    return this.#waiting.map(({ seconds }) => seconds);
  }

  async timePasses(): Promise<void> {
    for (const { wake } of this.#waiting.splice(0)) wake();
    await Promise.resolve();
  }
}

describe('a run that another host is to try first', () => {
  it('is looked at at once by the first host', () => {
    expect(new Seat(0).prospects.hinted(INSERTED)).toBe(true);
  });

  it('costs the others nothing once it is taken', async () => {
    const seat = new Seat(3);
    expect(seat.prospects.hinted(INSERTED)).toBe(false);
    expect(seat.prospects.hinted(updated(['bootstrax.state'], 'considering'))).toBe(false);
    await seat.timePasses();
    expect(seat.rings).toBe(0);
  });

  it('is looked at by each of them in turn if nobody takes it', async () => {
    const [second, third] = [new Seat(1), new Seat(2)];
    for (const seat of [second, third]) seat.prospects.hinted(INSERTED);
    expect(third.waits[0]).toBe(2 * second.waits[0]!);
    await second.timePasses();
    expect(second.rings).toBe(1);
    expect(second.prospects.hinted(INSERTED)).toBe(false);
  });

  it('that may or may not be free is made sure of by two hosts', () => {
    const hint = updated(['bootstrax.state'], 'failed');
    for (const rank of [0, 1, 2, 9]) {
      const seat = new Seat(rank);
      expect(seat.prospects.hinted(hint)).toBe(rank === 0);
      expect(seat.waits).toHaveLength(rank === 1 ? 1 : 0);
    }
  });
});
