import { describe, expect, it, test } from 'vitest';

import { ACTIONS } from '../../../src/features/actions/action-table.pure.ts';
import {
  adviceFor,
  adviceText,
  backText,
  type Trouble,
  TROUBLES,
} from '../../../src/retry/advice.pure.ts';

const GIVEN_UP = { name: '105', isGivenUp: true };
/** What another attempt meets again as long as nobody has corrected anything. */
const REPEATS = TROUBLES.filter((trouble) => trouble !== 'operator' && trouble !== 'manager');
/** Troubles that stay on one host, so that a drain keeps the run away from them. */
const OF_A_HOST: readonly Trouble[] = ['disk', 'host'];

describe('the advice for each cause', () => {
  test.each(TROUBLES)('of %s says in a few plain words what is wrong', (trouble) => {
    const { says, check, call, not } = adviceFor(trouble);
    expect(says.length).toBeLessThan(40);
    expect(says).not.toMatch(/[/:]|Error\b/);
    for (const text of [check, ...(not === null ? [] : [not])])
      expect(text).toMatch(/^[A-Z].*[.?]$/);
    expect(call).toMatch(/^the /);
  });

  test.each(REPEATS)('of %s never is to try the same again', (trouble) => {
    const { press, not } = adviceFor(trouble);
    expect(press).not.toBe('again');
    expect(not).toMatch(/^Do not re(process|try) it/);
    if (press === 'drain') expect(OF_A_HOST).toContain(trouble);
  });

  test.each(['operator', 'manager'] as const)('of %s is to try it again at once', (trouble) => {
    expect(adviceFor(trouble)).toMatchObject({ press: 'again', not: null });
  });

  test.each(OF_A_HOST)('of %s is to keep runs away from that host', (trouble) => {
    expect(adviceFor(trouble).press).toBe('drain');
  });

  it('names the plugin where one is at fault, and nowhere else', () => {
    expect(adviceFor('plugin_error', 'event_info').says).toBe('error in the plugin of event_info');
    expect(adviceFor('corrupt_data', 'raw_records').says).toBe('corrupt data');
  });
});

test('the way back of a run that is given up begins at the start, for every cause', () => {
  for (const trouble of TROUBLES) {
    const advice = adviceFor(trouble);
    const back = backText(advice, GIVEN_UP);
    const command = /bootstrax (\w+)/.exec(back)?.[1];
    expect(Object.keys(ACTIONS)).toContain(command);
    if (advice.then === 'again') expect(back).toContain('retry 105 --from-start');
    expect(adviceText(advice, GIVEN_UP)).toContain(advice.check);
    expect(adviceText(advice, GIVEN_UP)).toContain(`Call ${advice.call}.`);
  }
});
