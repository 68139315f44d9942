import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  blame,
  blameText,
  isAlike,
  isCleared,
  type PastFailure,
} from '../../../src/retry/blame.pure.ts';
import { CAUSE_CLASSES, type CauseClass } from '../../../src/retry/causes.pure.ts';

const failure = (
  run: number,
  host: string,
  fingerprint: string | null = 'KeyError at peaks.py:compute',
  cause: CauseClass | null = 'plugin_error',
): PastFailure => ({ run, host, fingerprint, class: cause });

describe('failures that are alike point to', () => {
  it.each<[string, PastFailure[], ReturnType<typeof blame>, RegExp]>([
    [
      'the run that fails on two hosts',
      [failure(7, 'a'), failure(7, 'b')],
      { kind: 'run', runs: [7], hosts: ['a', 'b'] },
      /^the run 7: it is the same on a and b$/,
    ],
    [
      'the host on which different runs fail',
      [failure(7, 'a'), failure(8, 'a'), failure(7, 'a')],
      { kind: 'host', runs: [7, 8], hosts: ['a'] },
      /^a: different runs/,
    ],
    [
      'the run that fails on two hosts, and not the one that failed on one of them',
      [failure(7, 'a'), failure(8, 'a'), failure(7, 'b')],
      { kind: 'run', runs: [7], hosts: ['a', 'b'] },
      /^the run 7/,
    ],
    [
      'what all have in common, if different runs fail on different hosts',
      [failure(7, 'a'), failure(8, 'b')],
      { kind: 'everywhere', runs: [7, 8], hosts: ['a', 'b'] },
      /^the software or the site/,
    ],
    [
      'nobody, while it is one run on one host',
      [failure(7, 'a'), failure(7, 'a')],
      { kind: 'open', runs: [7], hosts: ['a'] },
      /^neither run nor host/,
    ],
    ['nobody without any', [], { kind: 'open', runs: [], hosts: [] }, /^neither run nor host/],
  ])('%s', (_name, alike, expected, text) => {
    expect(blame(alike)).toEqual(expected);
    expect(blameText(blame(alike))).toMatch(text);
  });

  it('the same, in whatever order they are read', () => {
    const some = fc.array(
      fc.tuple(fc.nat(3), fc.constantFrom('a', 'b', 'c')).map(([run, host]) => failure(run, host)),
    );
    fc.assert(
      fc.property(some, (failures) => {
        const one = blame(failures);
        const other = blame([...failures].reverse());
        expect(one.kind).toBe(other.kind);
        expect([...one.runs].sort()).toEqual([...other.runs].sort());
        expect([...one.hosts].sort()).toEqual([...other.hosts].sort());
      }),
    );
  });
});

it('failures are alike by their fingerprint, and in the surroundings by their class', () => {
  expect(isAlike(failure(1, 'a'), failure(2, 'b'))).toBe(true);
  expect(isAlike(failure(1, 'a'), failure(2, 'b', 'KeyError at events.py:compute'))).toBe(false);
  expect(isAlike(failure(1, 'a', null), failure(2, 'b', null))).toBe(false);
  expect(isAlike(failure(1, 'a', 'OSError 28', 'disk'), failure(2, 'a', 'EROFS', 'disk'))).toBe(
    true,
  );
  expect(isAlike(failure(1, 'a', 'x', 'disk'), failure(2, 'a', 'x', 'host'))).toBe(false);
});

describe('a host is cleared of a failure', () => {
  it.each<[string, PastFailure, PastFailure[], boolean]>([
    ['by the same place in a program elsewhere', failure(7, 'a'), [failure(8, 'b')], true],
    [
      'by the same run elsewhere',
      failure(7, 'a', 'no_progress'),
      [failure(7, 'b', 'no_progress')],
      true,
    ],
    [
      'not by the same signal in another run',
      failure(7, 'a', 'child_died signal 11', 'unknown'),
      [failure(8, 'b', 'child_died signal 11', 'unknown')],
      false,
    ],
    [
      'not by a disk that is full as well',
      failure(7, 'a', 'OSError at io.py:save', 'disk'),
      [failure(8, 'b', 'OSError at io.py:save', 'disk')],
      false,
    ],
    [
      'by a run that fills every disk',
      failure(7, 'a', 'OSError', 'disk'),
      [failure(7, 'b', 'OSError', 'disk')],
      true,
    ],
    ['not by itself', failure(7, 'a'), [failure(7, 'a')], false],
    ['not by another failure', failure(7, 'a'), [failure(7, 'b', 'ValueError at x.py:y')], false],
    ['not without a fingerprint', failure(7, 'a', null), [failure(7, 'b', null)], false],
  ])('%s', (_name, here, elsewhere, cleared) => {
    expect(isCleared(here, elsewhere)).toBe(cleared);
  });

  it('never by nothing, whatever it was', () => {
    for (const cause of CAUSE_CLASSES)
      expect(isCleared(failure(7, 'a', 'x', cause), [])).toBe(false);
  });
});
