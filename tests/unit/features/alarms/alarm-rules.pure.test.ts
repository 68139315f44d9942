import { describe, expect, it, test } from 'vitest';

import type {
  Alarm,
  Maintenance,
  StoredAlarm,
} from '../../../../src/features/alarms/alarm.pure.ts';
import {
  course,
  NOTHING_SEEN,
  type Sightings,
} from '../../../../src/features/alarms/alarm-course.pure.ts';
import { messageOf } from '../../../../src/features/alarms/alarm-message.pure.ts';
import { noticesFor, waitSeconds } from '../../../../src/features/alarms/alarm-notices.pure.ts';
import { type AlarmFacts, alarmsOf } from '../../../../src/features/alarms/alarm-rules.pure.ts';
import type { AttentionItem } from '../../../../src/readmodel/attention.pure.ts';
import type { HostCard } from '../../../../src/readmodel/hosts.pure.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const LIMITS = { diskFullHours: 6, nothingProcessedSeconds: 1800 };
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

function item(kind: AttentionItem['kind'], more: Partial<AttentionItem> = {}): AttentionItem {
  const { run = 7, host: at = null } = more;
  return {
    ...{ kind, run, host: at, what: `${kind}.`, todo: 'do', since: ago(60).toISOString() },
    ...{ detail: null, cause: null, advice: null },
    ...{ key: `${kind}:${run ?? at}`, seen: '', acknowledged: null, ...more },
  };
}

function host(more: Partial<HostCard> = {}): HostCard {
  return {
    ...{ host: 'eb0', condition: 'idle', whyNotKind: null, diskPercent: 80, diskLimitPercent: 95 },
    ...{ diskFullInHours: null, liveDiskPercent: 50, liveDiskFullInHours: null, ...more },
  } as HostCard;
}

const QUIET: AlarmFacts = { attention: [], hosts: [host()], untouched: [], inWork: 0, ended: [] };

function keys(facts: Partial<AlarmFacts>, open: string[] = []): string[] {
  return alarmsOf({ ...QUIET, ...facts }, new Set(open), LIMITS, NOW).map(({ key }) => key);
}

describe('the rules', () => {
  it('say nothing while all is well', () => {
    expect(keys({})).toEqual([]);
  });

  test.each([
    ['a run is given up', { attention: [item('given_up')] }, ['given_up:7']],
    ['a done run is not handed on', { attention: [item('not_handed_on')] }, ['not_handed_on:7']],
    ['a run is stalled', { attention: [item('run_stalled')] }, ['run_stalled:7']],
    ['one is set aside', { attention: [item('set_aside')] }, []],
    ['a host is in quarantine', { attention: [item('host_quarantined')] }, []],
    [
      'promises are missed',
      { attention: [item('promise_missed'), item('run_silent', { run: 8 })] },
      ['promise_missed'],
    ],
    [
      'a host is silent',
      { attention: [item('host_silent', { run: null, host: 'eb0' })] },
      ['host_silent:eb0'],
    ],
    [
      'a host that was taken out is silent',
      {
        attention: [item('host_silent', { run: null, host: 'eb0' })],
        hosts: [host({ condition: 'silent', whyNotKind: 'drained' })],
      },
      [],
    ],
    [
      'the output disk is full soon',
      { hosts: [host({ diskFullInHours: 5 })] },
      ['output_disk:eb0'],
    ],
    ['the output disk is full', { hosts: [host({ diskFullInHours: 0 })] }, ['output_disk:eb0']],
    ['the output disk lasts', { hosts: [host({ diskFullInHours: 7 })] }, []],
    [
      'a silent host knows nothing of its disk',
      { hosts: [host({ condition: 'silent', diskFullInHours: 0 })] },
      [],
    ],
    [
      'all hosts see the live data fill up: one alarm',
      { hosts: [host({ liveDiskFullInHours: 2 }), host({ host: 'b', liveDiskFullInHours: 2 })] },
      ['live_disk'],
    ],
  ] satisfies [string, Partial<AlarmFacts>, string[]][])('%s', (_, facts, expected) => {
    expect(keys(facts)).toEqual(expected);
  });

  it('do not repeat yesterday, but go on with what is open', () => {
    const old = item('given_up', { since: ago(90_000).toISOString() });
    expect(keys({ attention: [old] })).toEqual([]);
    expect(keys({ attention: [old] }, ['given_up:7'])).toEqual(['given_up:7']);
  });

  it('leave alone what somebody has taken on', () => {
    const acknowledged = { by: 'anna', reason: 'I look', at: '', expires: null };
    const taken = item('given_up', { acknowledged });
    expect(keys({ attention: [taken] })).toEqual([]);
    expect(keys({ attention: [taken] }, ['given_up:7'])).toEqual(['given_up:7']);
  });

  it('do not waver with a forecast', () => {
    const facts = { hosts: [host({ diskFullInHours: 8 })] };
    expect(keys(facts)).toEqual([]);
    expect(keys(facts, ['output_disk:eb0'])).toEqual(['output_disk:eb0']);
    expect(keys({ hosts: [host({ diskFullInHours: 9.1 })] }, ['output_disk:eb0'])).toEqual([]);
  });

  const waits = (seconds: number, held = false) => [{ run: 5, start: ago(seconds), held }];
  const end = (run: number, outcome: string) => ({ run, outcome, counted: outcome !== 'done' });
  test.each([
    ['a run waits too long, nothing is in work', { untouched: waits(1801) }, true],
    ['it waits not so long', { untouched: waits(1700) }, false],
    ['another is in work', { untouched: waits(1801), inWork: 1 }, false],
    ['another was just done', { untouched: waits(1801), ended: [end(4, 'done')] }, false],
    ['it is held', { untouched: waits(1801, true) }, false],
    ['it was forgotten days ago', { untouched: waits(3 * 86_400) }, false],
    [
      'whatever is tried fails',
      { inWork: 1, ended: [end(1, 'failed'), end(2, 'failed'), end(3, 'given_up')] },
      true,
    ],
    ['one run fails and fails', { ended: [end(1, 'failed'), end(1, 'failed')] }, false],
  ] satisfies [string, Partial<AlarmFacts>, boolean][])(
    'nothing is processed: %s',
    (_, facts, alarm) => {
      expect(keys(facts)).toEqual(alarm ? ['nothing_processed'] : []);
    },
  );

  it('make one short line of whatever documents say', () => {
    const what = `Run 7\r\nBcc: all@lab\u202e ${'x'.repeat(1000)}`;
    const [alarm] = alarmsOf(
      { ...QUIET, attention: [item('given_up', { what })] },
      new Set(),
      LIMITS,
      NOW,
    );
    expect(alarm?.what).toMatch(/^Run 7 Bcc: all@lab {1,2}x+…$/);
    expect(alarm?.what.length).toBeLessThanOrEqual(300);
  });
});

const ALARM: Alarm = {
  ...{ key: 'live_disk', kind: 'live_disk', run: null, host: null, what: 'Full.', todo: 'do' },
  since: null,
};
const stored = (more: Partial<StoredAlarm> = {}): StoredAlarm => ({
  ...{ ...ALARM, open: true, episode: 1, opened: ago(600), over: null, told: {} },
  ...more,
});

describe('the course of an alarm', () => {
  const run = (steps: [atSeconds: number, present: boolean][], open: StoredAlarm[]) => {
    let sightings: Sightings = NOTHING_SEEN;
    return steps.map(([at, present]) => {
      const step = course(present ? [ALARM] : [], open, sightings, {
        holdSeconds: 30,
        atSeconds: at,
      });
      ({ sightings } = step);
      return step.raise.length - step.clear.length;
    });
  };

  it('begins when it was seen for so long without a break', () => {
    const steps: [number, boolean][] = [
      ...([
        [0, true],
        [20, true],
        [25, false],
        [40, true],
        [60, true],
      ] as [number, boolean][]),
      [70, true],
    ];
    expect(run(steps, [])).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it('is over when it was not seen for so long', () => {
    const steps: [number, boolean][] = [[0, true], [10, false], [30, true], [40, false], [70, false]]; // prettier-ignore
    expect(run(steps, [stored()])).toEqual([0, 0, 0, 0, -1]);
  });
});

describe('who is told what', () => {
  const window: Maintenance = {
    ...{ id: 'm', host: null, from: ago(100), until: ago(-100), by: 'anna', reason: 'disks' },
    endedBy: null,
  };
  const told = (said: 'raised' | 'cleared', episode = 1) => ({
    webhook: { episode, said, at: NOW },
  });
  const over = { open: false, over: NOW };

  test.each([
    ['a new one', stored(), [], 'raised'],
    ['one that is known', stored({ told: told('raised') }), [], null],
    ['one that is over', stored({ ...over, told: told('raised') }), [], 'cleared'],
    ['one that is known to be over', stored({ ...over, told: told('cleared') }), [], null],
    ['one that was over before it was told', stored(over), [], null],
    ['one that has come back', stored({ episode: 2, told: told('cleared') }), [], 'raised'],
    ['one in maintenance', stored(), [window], null],
    ['one in maintenance of a host', stored(), [{ ...window, host: 'eb0' }], null],
    ['one that is over in maintenance', stored({ ...over, told: told('raised') }), [window], null],
    ['one after maintenance', stored(), [{ ...window, until: NOW }], 'raised'],
  ] as const)('%s', (name, alarm, windows, expected) => {
    const about = name.includes('of a host') ? { ...alarm, host: 'eb0' } : alarm;
    const { raised, cleared } = noticesFor('webhook', [about], windows, NOW);
    expect([raised.length, cleared.length]).toEqual([
      expected === 'raised' ? 1 : 0,
      expected === 'cleared' ? 1 : 0,
    ]);
  });

  it('maintenance of another host silences nothing', () => {
    const { raised } = noticesFor('mail', [stored()], [{ ...window, host: 'eb1' }], NOW);
    expect(raised).toHaveLength(1);
  });

  it('a receiver that fails is left alone for longer and longer', () => {
    expect([1, 2, 3, 20].map((failures) => waitSeconds(failures, 30, 3600))).toEqual([
      30, 60, 120, 3600,
    ]);
  });

  it('a flood is one message that can be read', () => {
    const raised = Array.from({ length: 200 }, (_, i) => stored({ key: `k${i}` }));
    const { subject, text, alarms } = messageOf({ raised, cleared: [] }, 'https://lab/');
    expect(subject).toBe('bootstrax: 200 alarms');
    expect(text.split('\n').length).toBeLessThan(50);
    expect(text).toContain('and 180 more');
    expect(text).toContain('https://lab/');
    expect(new Set(alarms.map(({ id }) => id)).size).toBe(200);
  });
});
