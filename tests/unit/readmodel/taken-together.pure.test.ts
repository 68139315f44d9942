import { expect, test } from 'vitest';

import type { Condition } from '../../../src/readmodel/run-condition.pure.ts';
import { type OpenRun, takenTogether } from '../../../src/readmodel/taken-together.pure.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();

function run(number: number, begunAgo: number, more: Partial<OpenRun> = {}): OpenRun {
  return {
    ...{ id: String(number), run: number, condition: 'busy', detectors: ['tpc'] },
    ...{ start: ago(begunAgo), end: null, ...more },
  };
}

const as = (condition: Condition) => ({ condition });

test.each<[string, OpenRun[], number[][]]>([
  ['one run is taken', [run(1, 900)], []],
  ['a run has just followed another', [run(1, 900), run(2, 60)], []],
  ['two are taken for long', [run(1, 900), run(2, 400)], [[2, 1]]],
  ['three are taken, however lately', [run(1, 90), run(2, 60), run(3, 1)], [[3, 2, 1]]],
  ['the detectors differ', [run(1, 900), run(2, 400, { detectors: ['veto'] })], []],
  [
    'they share two detectors',
    [run(1, 900, { detectors: ['tpc', 'veto'] }), run(2, 400, { detectors: ['veto', 'tpc'] })],
    [[2, 1]],
  ],
  ['one has ended', [run(1, 900, { end: ago(800) }), run(2, 400)], []],
  ['one was abandoned', [run(1, 900, as('abandoned')), run(2, 400)], []],
  ['one is given up, and an item already', [run(1, 900, as('given_up')), run(2, 400)], []],
  ['one is held', [run(1, 900, as('held')), run(2, 400, as('new'))], [[2, 1]]],
  ['one began days ago', [run(1, 200_000), run(2, 400)], []],
  ['the same run is read twice', [run(1, 900), run(1, 900)], []],
])('runs of one detector at once: %s', (_, runs, expected) => {
  const found = takenTogether(runs, NOW);
  expect(found.map(({ runs: own }) => own.map(({ run: number }) => number))).toEqual(expected);
});
