import { describe, expect, it } from 'vitest';

import type { FailureGroup } from '../../../src/readmodel/failures.pure.ts';
import { type HandoverFacts, handoverText } from '../../../src/readmodel/handover.pure.ts';
import type { HostCard } from '../../../src/readmodel/hosts.pure.ts';

const TO = new Date('2026-03-01T14:00:00Z');
const FROM = new Date('2026-03-01T06:00:00Z');

const QUIET: HandoverFacts = {
  from: FROM,
  to: TO,
  attention: [],
  runs: [],
  runsAtLeast: false,
  queue: { fresh: 0, held: 0, due: 0, later: 0, oldest: null, next: null, atLeast: false },
  ended: [],
  failures: [],
  debts: [],
  hosts: [],
  deletions: [],
  actions: [],
};

const GIVEN_UP = {
  ...{ kind: 'given_up' as const, run: 7, host: 'eb1', since: '2026-03-01T10:20:30Z' },
  ...{ detail: null, cause: null, advice: null },
  ...{ what: 'Run 7 is given up.', todo: 'bootstrax retry 7 --from-start' },
  ...{ key: 'given_up:7', seen: '', acknowledged: null },
};

const lines = (of: HandoverFacts): string[] => handoverText(of).split('\n');
const facts = (some: Partial<HandoverFacts>): HandoverFacts => ({ ...QUIET, ...some });

function group(some: Partial<FailureGroup>): FailureGroup {
  return {
    ...{ fingerprint: 'f', count: 2, isNew: true, runs: [11, 12], hosts: ['eb1', 'eb2'] },
    ...{ firstSeen: '2026-02-20T00:00:00Z', lastSeen: '2026-03-01T09:00:00Z', versions: [] },
    ...{ plugin: null, cause: null, reason: 'ValueError: x', traceback: null, trend: [] },
    ...{ onlyHost: null },
    ...some,
  } as FailureGroup;
}

function host(some: Partial<HostCard>): HostCard {
  return {
    ...{ host: 'eb1', condition: 'idle', runs: [], whyNot: null },
    ...{ diskPercent: null, diskFullInHours: null },
    ...some,
  } as HostCard;
}

describe('a handover', () => {
  it('of a quiet watch says that nothing needs attention', () => {
    expect(lines(QUIET)).toEqual([
      'Event builders, 2026-03-01 06:00 to 2026-03-01 14:00 UTC',
      '',
      'Nothing needs attention.',
      '',
      'New runs: 0.',
      'Attempts ended: 0, 0 succeeded and 0 failed.',
      'Waiting now: 0 new; 0 due for a retry, 0 waiting for a retry; 0 held.',
      '',
      'Hosts: 0; no host has ever sent a heartbeat.',
      '',
      'No actions.',
    ]);
  });

  it('begins with what needs attention, and says what to do', () => {
    expect(lines(facts({ attention: [GIVEN_UP] })).slice(2, 4)).toEqual([
      'NEEDS ATTENTION: 1',
      '- Run 7 is given up. (since 2026-03-01 10:20) To do: bootstrax retry 7 --from-start',
    ]);
  });

  it('tells apart what somebody looks after already', () => {
    const acknowledged = { by: 'anna', reason: 'known since\nMonday', at: '', expires: null };
    expect(lines(facts({ attention: [{ ...GIVEN_UP, acknowledged }] })).slice(2, 5)).toEqual([
      'Nothing needs attention.',
      'Acknowledged, still open: 1',
      '- Run 7 is given up. (since 2026-03-01 10:20) (anna: "known since Monday")',
    ]);
  });

  it('tells how the runs stand', () => {
    const runs = (['done', 'done', 'given_up'] as const).map((condition, i) => {
      return { run: 100 + i, condition, start: null };
    });
    expect(handoverText(facts({ runs }))).toContain(
      'New runs: 3, 100 to 102; now 2 done, 1 given up.',
    );
  });

  it('names failures of these hours only, and marks those never seen before', () => {
    const text = handoverText(
      facts({
        failures: [
          group({ reason: 'OLD\nerror' }),
          group({ reason: 'Fresh', firstSeen: '2026-03-01T07:00:00Z', onlyHost: 'eb2' }),
          group({ reason: 'Past', lastSeen: '2026-03-01T05:59:59Z' }),
        ],
      }),
    );
    expect(text).toContain('\n- OLD error (runs 11, 12; on eb1, eb2)');
    expect(text).toContain('\n- NEW: Fresh (runs 11, 12; only on eb2)');
    expect(text).not.toContain('Past');
  });

  it('tells how each host stands', () => {
    const hosts = [
      host({ condition: 'busy', runs: [9], diskPercent: 71.4, diskFullInHours: 5.2 }),
      host({ host: 'eb2', condition: 'drained', whyNot: 'drained by anna: new disk' }),
      host({ host: 'eb4', condition: 'drained', whyNot: 'drained by ben: fan', runs: [9] }),
      host({ host: 'eb3', condition: 'silent', whyNot: 'was full' }),
    ];
    const text = handoverText(facts({ hosts }));
    expect(text).toContain('\n- eb1 busy with run 9; disk 71 %, full in 5 h');
    expect(text).toContain('\n- eb2 drained by anna: new disk');
    expect(text).toContain('\n- eb4 drained by ben: fan; still busy with run 9');
    expect(text).toContain('\n- eb3 silent\n');
  });

  it('sums up deletions, and lists debts', () => {
    const deletions = [
      { run: 1, state: 'done', bytesFreed: 1.5e9 },
      { run: 2, state: 'done', bytesFreed: null },
      { run: 3, state: 'refused', bytesFreed: null },
      { run: 4, state: 'checking', bytesFreed: null },
    ];
    const text = handoverText(facts({ deletions, debts: [{ run: 5, lacks: ['peaks'] }] }));
    expect(text).toContain(
      'Live data deleted: 2 runs, 1.5 GB; not finished for 1 run; refused for runs 3.',
    );
    expect(text).toContain('\n- run 5 lacks peaks');
  });

  it('keeps what people asked for, one line each, whatever they wrote', () => {
    const action = {
      ...{ requested: new Date('2026-03-01T08:15:00Z'), by: 'anna', kind: 'hold' },
      ...{ target: 'run 5', reason: 'noisy\n- run 6 is fine', state: 'done' },
    };
    const text = handoverText(facts({ actions: [action, { ...action, state: 'requested' }] }));
    expect(text.split('\n').slice(-2)).toEqual([
      '- 2026-03-01 08:15 anna: hold run 5, "noisy - run 6 is fine"',
      '- 2026-03-01 08:15 anna: hold run 5, "noisy - run 6 is fine" [requested]',
    ]);
  });

  it('cuts long lists and says so', () => {
    const debts = Array.from({ length: 30 }, (_, i) => ({ run: i, lacks: ['peaks'] }));
    const text = handoverText(facts({ debts }));
    expect(text).toContain('\n- and 18 more');
    expect(text).not.toContain('run 12 lacks');
  });
});
