import { describe, expect, it } from 'vitest';

import {
  holds,
  parseProbeAnswer,
  type ProbeAnswer,
  probeProblem,
  proofKey,
} from '../../../../src/executors/slurm/storage-proof.pure.ts';

const PATHS = { shared: '/s', staging: '/t', live: '/l', partition: '', clusters: '' };
const ANSWER: ProbeAnswer = { node: 'n1', user: 1000, worker: 0, sees: [true, true] };
const HERE = { user: 1000, seesStaging: true, output: '' };
const DAY_MS = 86_400_000;

describe('what a node tells', () => {
  it('is read as its script writes it', () => {
    expect(parseProbeAnswer('node n1\nuser 1000\nworker 0\npath 0 0\npath 1 1\n')).toEqual({
      ...ANSWER,
      sees: [true, false],
    });
  });

  it.each(['', 'node n1\nuser 1000\n', 'node\nuser x\nworker 0\n'])(
    'is no answer where a part is missing: %j',
    (text) => {
      expect(parseProbeAnswer(text)).toBeNull();
    },
  );

  it.each<[string, Partial<ProbeAnswer>, Partial<typeof HERE>, RegExp | null]>([
    ['nothing', {}, {}, null],
    ['live data that is not seen keeps single runs away only', { sees: [true, false] }, {}, null],
    ['another user', { user: 7 }, {}, /n1 runs jobs as user 7.*same number on both/],
    [
      'storage it does not see',
      { sees: [false, true] },
      {},
      /n1 does not see.*\/t.*paths\.staging/,
    ],
    ['no answer for a path', { sees: [] }, {}, /does not see/],
    ['storage that this host does not see', {}, { seesStaging: false }, /this host does not see/],
    ['a script of the site', { worker: 79 }, { output: 'no module' }, /setup fails.*no module/],
    ['no strax', { worker: 80 }, {}, /worker cannot be imported.*slurm\.python/],
  ])('means for all jobs: %s', (_, answer, here, problem) => {
    const found = probeProblem({ ...ANSWER, ...answer }, PATHS, { ...HERE, ...here });
    if (problem === null) expect(found).toBeNull();
    else expect(found).toMatch(problem);
  });
});

describe('a proof', () => {
  const proof = { key: proofKey(PATHS), at: 1e12, node: 'n1', problem: null, unseen: [] };

  it('holds for a week and for the same paths', () => {
    expect(holds(proof, PATHS, 1e12)).toBe(true);
    expect(holds(proof, PATHS, 1e12 + 6.9 * DAY_MS)).toBe(true);
    expect(holds(proof, PATHS, 1e12 + 7 * DAY_MS)).toBe(false);
    expect(holds(proof, { ...PATHS, staging: '/u' }, 1e12)).toBe(false);
    expect(holds({ ...proof, problem: 'x' }, PATHS, 1e12)).toBe(false);
    // Of a clock that was ahead.
    expect(holds(proof, PATHS, 1e12 - 1)).toBe(false);
    expect(holds(null, PATHS, 1e12)).toBe(false);
  });
});
