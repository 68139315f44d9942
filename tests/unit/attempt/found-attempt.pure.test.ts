import { describe, expect, it } from 'vitest';

import { foundIn } from '../../../src/attempt/found-attempt.pure.ts';
import { readRun } from '../../../src/run/run.pure.ts';
import { runDocument } from '../run/documents.ts';

const ID = 'a'.repeat(24);
const OTHER = 'b'.repeat(24);
const AT = new Date(0);

const run = (bootstrax: Record<string, unknown>) => {
  const held = { host: 'here', attempt: ID, time: AT, attempt_time: AT };
  return readRun(runDocument({ bootstrax: { ...held, ...bootstrax } }));
};
const atRun = { attempt: ID };
const atDebt = { attempt: ID, keep: ['/out/one'] };

describe('an attempt at a run that an earlier manager has left', () => {
  it('goes on while its run is busy for it', () => {
    const found = foundIn(run({ state: 'busy' }), atRun, 'here');
    expect(found).toMatchObject({ kind: 'own', run: { number: 4711 }, debtor: null });
  });

  it.each([
    ['was claimed and never begun', { state: 'considering' }],
    ['has failed', { state: 'failed' }],
    ['is done', { state: 'done', last_attempt: ID, attempt: null }],
    ['is done for a debt of the same attempt', { state: 'done', debt: { attempt: ID } }],
    ['belongs to another attempt', { state: 'busy', attempt: OTHER }],
    ['belongs to another host', { state: 'busy', host: 'there' }],
    [
      'was taken by the reference, which copies the attempt along',
      { state: 'busy', time: new Date(9) },
    ],
  ])('is dead once its run %s', (_, bootstrax) => {
    expect(foundIn(run(bootstrax), atRun, 'here')).toEqual({ kind: 'dead' });
  });

  it('is dead where the document of its run cannot be read any more', () => {
    const bootstrax = { state: 'busy', host: 'here', attempt: ID };
    const broken = readRun(runDocument({ start: 'yesterday', bootstrax }));
    expect(foundIn(broken, atRun, 'here')).toEqual({ kind: 'dead' });
  });
});

describe('an attempt at a debt that an earlier manager has left', () => {
  const held = {
    state: 'done',
    attempt: null,
    last_attempt: OTHER,
    debt: { attempt: ID, time: AT },
  };

  it('goes on while the run is done and the debt is its own', () => {
    expect(foundIn(run(held), atDebt, 'here')).toMatchObject({ kind: 'own', debtor: OTHER });
  });

  it.each([
    ['another attempt makes up for it', { debt: { attempt: OTHER, time: AT } }],
    ['nobody makes up for it', { debt: null }],
    ['the run is done elsewhere', { host: 'there' }],
    ['the run is processed anew', { state: 'busy', attempt: ID }],
    ['nobody knows which attempt has left it', { last_attempt: null }],
  ])('is dead once %s', (_, change) => {
    expect(foundIn(run({ ...held, ...change }), atDebt, 'here')).toEqual({ kind: 'dead' });
  });
});
