import { expect, it } from 'vitest';

import { runsOrReason } from '../../../../src/cli/act/runs-or-reason.pure.ts';

it.each([
  ['nothing more', [], { kind: 'runs', runs: [] }],
  ['further runs', ['6', '007'], { kind: 'runs', runs: [6, 7] }],
  ['a reason', ['bad', 'gains', '12'], { kind: 'reason', words: ['bad', 'gains', '12'] }],
  ['a reason that could begin with a run', ['12', 'hours', 'lost'], { kind: 'unclear' }],
])('words after a run: %s', (_, words, meant) => {
  expect(runsOrReason(words)).toEqual(meant);
});
