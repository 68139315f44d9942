import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { FleetExplanation } from '../../../src/readmodel/explain-fleet.pure.ts';
import { withNumber } from '../../../src/readmodel/explain-number.pure.ts';
import { readRun } from '../../../src/run/run.pure.ts';
import {
  documentsInWords,
  hasProducts,
  mayBegin,
  type Numbered,
  numberHolder,
  setAsideText,
} from '../../../src/run/same-number.pure.ts';
import { runDocument } from './documents.ts';

const LIVE = { type: 'live', host: 'daq', location: '/live' };
const PRODUCT = { type: 'records', host: 'eb1', location: '/out/000007-records-abc' };

function numbered(id: string, state: unknown, data: unknown = [LIVE]): Numbered {
  return {
    id,
    stored: readRun(runDocument({ number: 7, bootstrax: { state, host: 'eb1' }, data })),
  };
}

describe('the document that owns a number', () => {
  it.each<[string, Numbered[], string]>([
    ['of two new ones the smaller id', [numbered('b', null), numbered('a', null)], 'a'],
    ['of three the smallest id', ['c', 'a', 'b'].map((id) => numbered(id, null)), 'a'],
    ['one that is busy', [numbered('a', null), numbered('b', 'busy')], 'b'],
    ['one that is done', [numbered('a', null), numbered('b', 'done')], 'b'],
    ['done before busy', [numbered('a', 'busy'), numbered('b', 'done')], 'b'],
    ['one that lists products', [numbered('a', null), numbered('b', 'failed', [PRODUCT])], 'b'],
    ['not one whose only data is live', [numbered('a', null), numbered('b', 'failed')], 'a'],
    ['not one that is only claimed', [numbered('a', null), numbered('b', 'considering')], 'a'],
    ['a failed one with the smaller id', [numbered('a', 'failed'), numbered('b', null)], 'a'],
    [
      'an abandoned one with the smaller id',
      [numbered('a', 'abandoned'), numbered('b', null)],
      'a',
    ],
    [
      'a malformed one with the smaller id',
      [
        { id: 'a', stored: readRun({ number: 7 }) },
        { id: 'b', stored: readRun({ number: 7, bootstrax: { state: 'considering' } }) },
      ],
      'a',
    ],
    ['of two done ones the smaller id', [numbered('b', 'done'), numbered('a', 'done')], 'a'],
  ])('is %s', (_, documents, owner) => {
    expect(numberHolder(documents)?.id).toBe(owner);
  });

  it.each<[unknown, boolean]>([
    [undefined, false],
    ['records', false],
    [[null, 5, 'x', { type: 7 }, {}], false],
    [[LIVE], false],
    [[LIVE, PRODUCT], true],
  ])('has products with data %j: %s', (data, expected) => {
    expect(hasProducts({ stored: readRun({ data, bootstrax: 'odd' }) })).toBe(expected);
  });

  it('is the same for all who read the same documents, in whatever order', () => {
    fc.assert(
      fc.property(documentsOf(4), fc.func(fc.integer()), (documents, order) => {
        const shuffled = [...documents].sort((a, b) => order(a.id) - order(b.id));
        expect(numberHolder(shuffled)).toEqual(numberHolder(documents));
      }),
    );
  });
});

describe('a run that is claimed', () => {
  it('is begun if no other document has its number, or the number is its own', () => {
    const claimed = numbered('a', 'considering');
    expect(mayBegin('a', [claimed])).toEqual({ kind: 'yes' });
    expect(mayBegin('a', [claimed, numbered('b', null)])).toEqual({ kind: 'yes' });
    expect(mayBegin('a', [claimed, numbered('b', 'failed')])).toEqual({ kind: 'yes' });
  });

  it('is not begun beside one that is busy, whoever owns the number', () => {
    const busy = numbered('b', 'busy');
    expect(mayBegin('a', [numbered('a', 'considering'), busy])).toEqual({
      kind: 'no',
      owner: busy,
    });
    expect(mayBegin('a', [numbered('a', 'busy'), busy])).toEqual({ kind: 'no', owner: busy });
    expect(mayBegin('a', [numbered('a', 'considering', [PRODUCT]), busy]).kind).toBe('no');
  });

  it('is not begun if its number has changed meanwhile', () => {
    expect(mayBegin('a', [numbered('b', null)])).toEqual({ kind: 'gone' });
  });

  it('is begun for at most one document, however claims, looks and inserts of them mix', () => {
    const moves = fc.array(fc.nat(3), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 4 }), moves, (count, order) => {
        const world = new Race(count);
        for (const move of order) world.step(move % count);
        expect(world.begun.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is begun for one document in the end, since who was set aside is looked at again', () => {
    const moves = fc.array(fc.nat(3), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 4 }), moves, (count, order) => {
        const world = new Race(count);
        for (const move of order) world.step(move % count);
        for (let round = 0; round < 4; round++) {
          for (let i = 0; i < count; i++) world.toItsEnd(i);
          for (let i = 0; i < count; i++) world.lookAgain(i);
        }
        expect(world.begun).toHaveLength(1);
      }),
    );
  });
});

describe('what people are told', () => {
  it('names each document with its state, the owner first, and what to do', () => {
    const text = setAsideText(7, 'a', [numbered('a', 'considering'), numbered('b', 'done')]);
    expect(text).toContain('document a');
    expect(text).toContain('b (done on eb1), a (considering on eb1)');
    expect(text).toContain('bootstrax renumber');
  });

  it('is bounded, however many documents there are and however long their ids', () => {
    const many = Array.from({ length: 500 }, (_, i) => numbered(`${i}${'x'.repeat(1000)}`, null));
    expect(documentsInWords(many).length).toBeLessThan(1000);
    expect(documentsInWords(many)).toContain('and 495 more');
  });
});

function documentsOf(most: number): fc.Arbitrary<Numbered[]> {
  const document = fc.record({
    id: fc.stringMatching(/^[a-f]{2}$/),
    state: fc.constantFrom(null, 'considering', 'busy', 'done', 'failed', 'abandoned', 7),
    data: fc.constantFrom([LIVE], [LIVE, PRODUCT], null),
  });
  return fc
    .uniqueArray(document, { selector: ({ id }) => id, maxLength: most })
    .map((all) => all.map(({ id, state, data }) => numbered(id, state, data)));
}

/** Documents of one number that are inserted, claimed and begun by hosts of their own, a write or a look at a time. */
class Race {
  readonly begun: string[] = [];
  readonly #states = new Map<string, string | null>();
  readonly #at: number[];

  constructor(count: number) {
    this.#at = Array.from({ length: count }, () => 0);
  }

  #id(i: number): string {
    return `id${i}`;
  }

  #may(i: number): boolean {
    const documents = [...this.#states].map(([id, state]) => numbered(id, state));
    return mayBegin(this.#id(i), documents).kind === 'yes';
  }

  step(i: number): void {
    const id = this.#id(i);
    switch (this.#at[i]) {
      case 0:
        this.#states.set(id, null);
        break;
      case 1:
        this.#states.set(id, 'considering');
        break;
      case 2:
        if (!this.#may(i)) return this.#setAside(i);
        break;
      case 3:
        this.#states.set(id, 'busy');
        break;
      case 4:
        if (!this.#may(i)) return this.#setAside(i);
        this.begun.push(id);
        break;
      default:
        return;
    }
    this.#at[i]++;
  }

  #setAside(i: number): void {
    this.#states.set(this.#id(i), 'failed');
    this.#at[i] = 9;
  }

  toItsEnd(i: number): void {
    for (let steps = 0; steps < 6; steps++) this.step(i);
  }

  lookAgain(i: number): void {
    if (this.#at[i] === 9 && this.#may(i)) this.#at[i] = 1;
  }
}

describe('an explanation', () => {
  const alone: FleetExplanation = {
    ...{ run: 7, state: null, verdict: 'eligible', rules: [], seenFrom: 'eb1' },
    next: { what: 'it is claimed', at: null, who: 'eb1' },
    commands: ['bootstrax process 7', 'bootstrax hold 7'],
    hosts: [{ host: 'eb1', verdict: 'eligible', obstacle: null }],
  };

  it('is as it was where no other document has the number', () => {
    const documents = [numbered('a', null)];
    expect(withNumber(alone, 'a', documents)).toEqual({ ...alone, document: 'a', sameNumber: [] });
  });

  it('promises nothing of a run whose number is another’s, and says who has it', () => {
    const documents = [numbered('a', 'done'), numbered('b', null)];
    const explained = withNumber(alone, 'b', documents);
    expect(explained).toMatchObject({ verdict: 'malformed', hosts: [], sameNumber: ['a'] });
    expect(explained.rules[0]).toMatchObject({ holds: false });
    expect(explained.next?.what).toContain('a (done on eb1)');
    expect(explained.commands).toEqual(['bootstrax renumber b NUMBER --reason TEXT']);
  });

  it('names the owner by its id in the commands', () => {
    const documents = [numbered('a', null), numbered('b', null)];
    const { verdict, commands } = withNumber(alone, 'a', documents);
    expect(verdict).toBe('eligible');
    expect(commands).toEqual(['bootstrax process a', 'bootstrax hold a']);
  });
});
