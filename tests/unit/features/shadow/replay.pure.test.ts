import { describe, expect, it } from 'vitest';

import { changesBetween, summaryOf } from '../../../../src/features/shadow/compare.pure.ts';
import { type Configuration, replayRun } from '../../../../src/features/shadow/replay.pure.ts';
import { defaultRules, type Rules } from '../../../../src/infra/config/rules.pure.ts';
import { NOW, run } from '../../run/documents.ts';

function configuration(
  changes: Partial<Rules> = {},
  role: 'primary' | 'backup' | 'never' = 'primary',
) {
  const rules: Rules = { ...defaultRules, ...changes };
  return {
    host: { host: 'eb3.xenon.local', role, accepting: { ok: true } },
    decisions: {
      ...{ rules, hostTable: 'new', shedding: 'reference', graph: null, culprits: [] },
      ...{ memoryFailures: 0, hostTargets: null, rateMBps: null },
    },
  } as const satisfies Configuration;
}

const { resources, targets, retry, claim } = defaultRules;
const busy = run({ rate: { tpc: { avg: 1, max: 150 } } });

describe('a run under another configuration', () => {
  it('has no changes if both decide alike', () => {
    expect(replayRun(busy, { other: configuration(), tried: configuration() }, null, NOW)).toEqual({
      run: 4711,
      changes: [],
    });
  });

  it('shows each decision that changes, from the other configuration to the one that is tried', () => {
    const tables = {
      new: [{ rateMBps: 0, cores: 2, maxMessages: 25, timeoutSeconds: 1400 }],
    };
    const tried = configuration({
      resources: { ...resources, tables },
      targets: { ...targets, default: ['event_info'] },
      retry: { ...retry, baseSeconds: 120 },
    });
    expect(replayRun(busy, { other: configuration(), tried }, null, NOW).changes).toEqual([
      {
        decision: 'targets',
        from: ['event_info', 'online_peak_monitor', 'veto_proximity'],
        to: ['event_info'],
      },
      { decision: 'cores', from: 18, to: 2 },
      {
        decision: 'afterAFailure',
        from: 'tried again after 60 s',
        to: 'tried again after 120 s',
      },
    ]);
  });

  it('is looked at after as many failures as are asked for', () => {
    const tried = configuration({ retry: { ...retry, maxFailures: 5 } });
    expect(replayRun(busy, { other: configuration(), tried }, 3, NOW).changes).toEqual([]);
    expect(replayRun(busy, { other: configuration(), tried }, 4, NOW).changes).toEqual([
      { decision: 'afterAFailure', from: 'tried again after 7500 s', to: 'given up' },
    ]);
  });

  it('is taken always, when it is needed, or never', () => {
    const done = run({ bootstrax: { state: 'done', host: 'eb5.xenon.local' } });
    const change = (from: Configuration, to: Configuration) =>
      replayRun(done, { other: from, tried: to }, null, NOW).changes;
    const backup = 'when no primary host lives or more than 3 runs wait';
    expect(change(configuration(), configuration({}, 'backup'))).toEqual([
      { decision: 'taken', from: 'always', to: backup },
    ]);
    expect(
      change(
        configuration({}, 'backup'),
        configuration({ claim: { ...claim, backupQueueLength: 8 } }, 'backup'),
      ),
    ).toEqual([{ decision: 'taken', from: backup, to: backup.replace('3', '8') }]);
    expect(change(configuration(), configuration({}, 'never'))[0]?.to).toMatch(/^never: /);
  });

  it('that cannot be planned says why in place of what it would get', () => {
    const twice = configuration({
      targets: { ...targets, default: ['event_info', 'event_info'] },
    });
    const { changes } = replayRun(busy, { other: configuration(), tried: twice }, null, NOW);
    expect(changes.find(({ decision }) => decision === 'problem')?.to).toMatch(/twice/);
    expect(changes.find(({ decision }) => decision === 'cores')).toMatchObject({ to: undefined });
  });
});

describe('changes', () => {
  it('are told of lists item by item', () => {
    const names = ['a', 'b'] as const;
    expect(changesBetween({ a: ['x', 'y'], b: NaN }, { a: ['x', 'y'], b: NaN }, names)).toEqual([]);
    expect(changesBetween({ a: ['x', 'y'] }, { a: ['y', 'x'] }, names)).toEqual([
      { decision: 'a', from: ['x', 'y'], to: ['y', 'x'] },
    ]);
    expect(changesBetween({ a: ['x'] }, { a: ['x', 'y'] }, names)).toHaveLength(1);
    expect(changesBetween({ a: ['x'] }, {}, names)).toHaveLength(1);
  });

  it('are counted by decision, most frequent first, with the first examples', () => {
    const change = (decision: string) => ({ decision, from: 1, to: 2 });
    const runs = [1, 2, 3].map((number) => ({
      run: number,
      changes: number === 3 ? [change('b')] : [change('a'), change('b')],
    }));
    expect(summaryOf(runs, 2)).toEqual([
      {
        decision: 'b',
        count: 3,
        examples: [1, 2].map((number) => ({ run: number, from: 1, to: 2 })),
      },
      {
        decision: 'a',
        count: 2,
        examples: [1, 2].map((number) => ({ run: number, from: 1, to: 2 })),
      },
    ]);
  });
});
