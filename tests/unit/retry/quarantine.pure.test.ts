import { describe, expect, it } from 'vitest';

import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import {
  hostTrust,
  type OtherHost,
  type RecentAttempt,
} from '../../../src/retry/quarantine.pure.ts';

const RULES = defaultRules.quarantine;
const MINUTE = 60_000;
const VERDICTS: Record<string, RecentAttempt['verdict']> = {
  '!': 'failed',
  '?': 'neither',
  '': 'succeeded',
};

/** Attempts, oldest first, one a minute: `7!` is a failure of run 7, `7` a success, `7?` neither. */
function attempts(text: string): RecentAttempt[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word, i) => ({
      run: parseInt(word),
      verdict: VERDICTS[word.replace(/^\d+/, '')]!,
      endedMs: i * MINUTE,
    }))
    .reverse();
}

const other = (minute: number | null, host = 'b'): OtherHost => ({
  host,
  lastSuccessMs: minute === null ? null : minute * MINUTE,
});

describe('a host is trusted', () => {
  it.each<[string, string, OtherHost[]]>([
    ['without any attempt', '', [other(9)]],
    ['after one bad run', '1! 1! 1! 1! 1!', [other(9)]],
    ['after two', '1! 2! 1!', [other(9)]],
    ['after a success in between', '1! 2! 3 4! 5!', [other(9)]],
    ['after a success at last', '1! 2! 3! 4', [other(9)]],
    ['if others ended some of them', '1! 2! 3? 4?', [other(9)]],
    ['if there is no other host', '1! 2! 3!', []],
    ['if no other host has finished a run', '1! 2! 3!', [other(null)]],
    ['if others succeeded only before', '9 1! 2! 3!', [other(0)]],
  ])('%s', (_, story, others) => {
    expect(hostTrust(attempts(story), others, 4 * MINUTE, RULES)).toEqual({ kind: 'trusted' });
  });
});

describe('a host on which different runs fail while others succeed elsewhere', () => {
  it.each([
    ['1! 2! 3!', 2, 10],
    ['1! 2! 3! 1!', 3, 20],
    ['9 1! 1! 2! 3?  3!', 5, 10],
    ['1! 2! 3! 4! 5!', 4, 40],
    ['1! 2! 3! 4! 5! 6! 7! 8! 9!', 8, 120],
  ])('%s', (story, lastMinute, pauseMinutes) => {
    const until = (lastMinute + pauseMinutes) * MINUTE;
    const standing = (now: number) =>
      hostTrust(attempts(story), [other(null, 'c'), other(9)], now, RULES);
    expect(standing(until - 1)).toMatchObject({ kind: 'quarantined', untilMs: until });
    expect(standing(until)).toMatchObject({ kind: 'on_probation' });
  });

  it('says which, how many and who succeeded', () => {
    const standing = hostTrust(
      attempts('1! 2! 2! 3!'),
      [other(0, 'b'), other(1, 'c'), other(null, 'd')],
      0,
      RULES,
    );
    expect(standing).toMatchObject({
      why: 'the last 4 attempts here failed (runs 3, 2, 1), while b, c finished runs',
    });
  });
});

it('says what the failures were, if all were the same', () => {
  const failed = (run: number, what: string | null): RecentAttempt => ({
    ...{ run, verdict: 'failed', endedMs: run * MINUTE, what },
  });
  const why = (...failures: RecentAttempt[]) => {
    const standing = hostTrust(failures.reverse(), [other(9)], 4 * MINUTE, RULES);
    return standing.kind === 'trusted' ? null : standing.why;
  };
  expect(why(failed(1, 'disk'), failed(2, 'disk'), failed(3, 'disk'))).toMatch(/, all of disk\)/);
  expect(why(failed(1, 'disk'), failed(2, 'hang'), failed(3, 'disk'))).not.toMatch(/all of/);
  expect(why(failed(1, null), failed(2, null), failed(3, null))).not.toMatch(/all of/);
});
