import { describe, expect, it } from 'vitest';

import {
  claimVerdict,
  eventsBetween,
  planVerdict,
  retryVerdict,
  staleVerdict,
} from '../../../../src/features/shadow/shadow.pure.ts';
import { shadowReport } from '../../../../src/features/shadow/shadow-report.pure.ts';
import { shownPlan } from '../../../../src/features/shadow/shown-plan.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';
import { decidePlan } from '../../../../src/plan/plan.pure.ts';
import { at, NOW, parsed, run } from '../../run/documents.ts';

const fields = (state: 'busy' | 'failed' | 'done' | 'considering' | null, more = {}) => ({
  ...{ state, host: 'eb4.xenon.local', time: NOW, attempt: null, failures: 0 },
  ...more,
});
const { retry } = defaultRules;

describe('what happened between two looks', () => {
  it('is nothing where nothing changed, or where it was over at the first look', () => {
    expect(eventsBetween(fields('busy'), fields('busy'))).toEqual([]);
    expect(eventsBetween(null, fields('done'))).toEqual([]);
    expect(eventsBetween(null, fields(null))).toEqual([]);
    expect(eventsBetween(fields('considering'), fields('busy'))).toEqual([]);
  });

  it('is that a host took the run, also from another', () => {
    const taken = [{ kind: 'taken', host: 'eb4.xenon.local' }];
    expect(eventsBetween(null, fields('busy'))).toEqual(taken);
    expect(eventsBetween(fields(null), fields('considering'))).toEqual(taken);
    expect(eventsBetween(fields('busy', { host: 'eb5.xenon.local' }), fields('busy'))).toEqual(
      taken,
    );
  });

  it('is its end, with the taking if that was never seen', () => {
    const kinds = (before: ReturnType<typeof fields>, after: ReturnType<typeof fields>) =>
      eventsBetween(before, after).map(({ kind }) => kind);
    expect(kinds(fields('busy'), fields('failed', { failures: 1 }))).toEqual(['failed']);
    expect(kinds(fields('busy'), fields('done'))).toEqual(['concluded']);
    expect(kinds(fields(null), fields('done'))).toEqual(['taken', 'concluded']);
    expect(kinds(fields('failed', { failures: 1 }), fields('failed', { failures: 2 }))).toEqual([
      'taken',
      'failed',
    ]);
    expect(kinds(fields('failed'), fields(null))).toEqual([]);
  });
});

describe('a claim of another host', () => {
  const host = { host: 'eb4.xenon.local', role: 'primary', accepting: { ok: true } } as const;
  const fleet = { queueLength: 0, livePrimaries: 1 };
  const verdict = (changes: Record<string, unknown>, role: 'primary' | 'never' = 'primary') =>
    claimVerdict(parsed(changes), { ...host, role }, { fleet, rules: defaultRules, now: NOW });

  it('is judged by what the run was before', () => {
    expect(verdict({ bootstrax: { state: 'busy' } })).toMatchObject({ agrees: true });
    const early = { state: 'busy', n_failures: 1, next_retry: at(1) };
    expect(verdict({ bootstrax: early })).toMatchObject({
      agrees: false,
      ours: { what: 'waiting' },
    });
    expect(verdict({ bootstrax: { ...early, next_retry: at(-1) } })).toMatchObject({
      agrees: true,
    });
  });

  it('is judged by the rules for that host, and by the document', () => {
    expect(verdict({ bootstrax: { state: 'busy' } }, 'never')).toMatchObject({ agrees: false });
    expect(verdict({ bootstrax: { state: 'busy' }, data: null })).toMatchObject({
      agrees: false,
      ours: { what: 'set aside' },
    });
  });
});

describe('a plan of another host', () => {
  const ours = decidePlan(run({ rate: { tpc: { max: 150 } } }), {
    ...{ rules: defaultRules, hostTable: 'new', shedding: 'reference', graph: null, culprits: [] },
    ...{ memoryFailures: 0, hostTargets: null, rateMBps: null },
  });
  const sign = {
    ...{ run_id: '004711', cores: 18, max_messages: 25, timeout: 1400 },
    targets: ['event_info', 'online_peak_monitor', 'veto_proximity'],
  };

  it('is compared in what that host shows', () => {
    const shown = shownPlan('004711', sign);
    expect(planVerdict(ours, shown ?? {})).toMatchObject({ agrees: true, changes: [] });
    const other = shownPlan('004711', { ...sign, cores: 3, post_processing: 'raw_records' });
    expect(planVerdict(ours, other ?? {})).toMatchObject({
      agrees: false,
      changes: [
        { decision: 'postProcessing', from: ['raw_records'], to: ['veto_intervals'] },
        { decision: 'cores', from: 3, to: 18 },
      ],
    });
    expect(planVerdict(ours, {}).agrees).toBeNull();
  });

  it('is not that of the run before, nor anything that is no plan', () => {
    expect(shownPlan('004712', sign)).toBeNull();
    expect(shownPlan('004711', { ...sign, cores: 'all' })).toBeNull();
    expect(shownPlan('004711', null)).toBeNull();
    expect(shownPlan('004711', { run_id: '004711' })).toBeNull();
  });
});

describe('a failure that another host noted', () => {
  const after = (failures: number, seconds: number | null) => ({
    ...{ failures, time: NOW, uncounted: 1 },
    nextRetry: seconds === null ? null : new Date(NOW.getTime() + seconds * 1000),
  });

  it('agrees if the next try falls into the range', () => {
    expect(retryVerdict(0, after(1, 30), retry).agrees).toBe(true);
    expect(retryVerdict(0, after(1, 90), retry).agrees).toBe(true);
    expect(retryVerdict(0, after(1, 150), retry)).toMatchObject({
      agrees: false,
      ours: { failures: 1, delaySeconds: [30, 90] },
    });
    expect(retryVerdict(1, after(2, 60), retry).agrees).toBe(false);
    expect(retryVerdict(0, after(1, null), retry).agrees).toBe(false);
    expect(retryVerdict(0, after(2, 60), retry).agrees).toBe(false);
  });

  it('gives the run up at the limit, and does not count what was not its fault', () => {
    expect(retryVerdict(9, after(10, 7500), retry)).toMatchObject({
      agrees: true,
      ours: { givenUp: true },
    });
    expect(retryVerdict(2, after(2, 10), retry).agrees).toBe(true);
    expect(retryVerdict(2, after(2, 600), retry).agrees).toBe(false);
    expect(retryVerdict(2, after(2, null), retry).agrees).toBeNull();
  });
});

it('a silent holder that goes on is a difference; one whose run is failed is none', () => {
  const silent = { host: 'eb4.xenon.local', time: NOW };
  const reason = 'eb5.xenon.local:\nHost eb4 said it was busy\n';
  expect(staleVerdict(silent, { ...fields('busy'), reason: null }).agrees).toBe(false);
  expect(staleVerdict(silent, { ...fields('failed'), reason })).toMatchObject({
    agrees: true,
    theirs: { what: 'failed', reason: 'Host eb4 said it was busy' },
  });
  const taken = { ...fields('considering', { host: 'eb5.xenon.local' }), reason: null };
  expect(staleVerdict(silent, taken).agrees).toBe(true);
});

it('a report counts by kind, and leaves out what cannot be read', () => {
  const line = (agrees: boolean | null, changes: unknown[] = []) => ({
    ...{ t: NOW.toISOString(), run: 1, host: 'eb4', kind: 'plan', ours: {}, theirs: {} },
    ...{ agrees, changes },
  });
  const change = { decision: 'cores', from: 1, to: 2 };
  const waiting = { t: at(-1).toISOString(), run: 2, host: null, kind: 'waiting', ours: {} };
  const report = shadowReport([waiting, line(true), line(false, [change]), line(null), undefined]);
  expect(report).toMatchObject({ from: at(-1).toISOString(), to: NOW.toISOString() });
  expect(report).toMatchObject({ runs: 2, unreadable: 1 });
  expect(report.kinds.find(({ kind }) => kind === 'plan')).toMatchObject({
    ...{ agree: 1, differ: 1, unknown: 1 },
    changes: [{ decision: 'cores', count: 1, examples: [{ run: 1, from: 1, to: 2 }] }],
  });
  expect(report.kinds.find(({ kind }) => kind === 'claim')).toMatchObject({ agree: 0, differ: 0 });
});
