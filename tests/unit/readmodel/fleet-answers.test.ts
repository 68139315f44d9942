import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { nextRuns } from '../../../src/claim/next-runs.pure.ts';
import { freeSlots } from '../../../src/claim/slots.pure.ts';
import type { HostView } from '../../../src/host/host-document.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { attention } from '../../../src/readmodel/attention.pure.ts';
import {
  explainFleet,
  factsOf,
  type FleetExplanation,
} from '../../../src/readmodel/explain-fleet.pure.ts';
import { hostCard } from '../../../src/readmodel/hosts.pure.ts';
import { runRow } from '../../../src/readmodel/run-row.pure.ts';
import { parseRun, readRun } from '../../../src/run/run.pure.ts';
import { runView } from '../../../src/run/run-view.pure.ts';
import { at, NOW, runDocument } from '../run/documents.ts';
import { DEAD_AFTER_SECONDS, hostNow } from './fleets.ts';

const FLEETS = 500;
const LIMITS = {
  promiseGraceSeconds: 60,
  busyLeaseSeconds: defaultRules.limits.busyLeaseSeconds,
  consideringLeaseSeconds: defaultRules.limits.consideringLeaseSeconds,
  overdueSeconds: defaultRules.claim.overdueSeconds,
  stalledAttentionSeconds: 300,
};

const someHost = fc.record({
  ageSeconds: fc.constantFrom(0, 5, 60, 119, 121, 1200, 100_000),
  accepting: fc.boolean(),
  role: fc.constantFrom('primary', 'backup', 'never'),
  slots: fc.integer({ min: 1, max: 3 }),
  worker_ready: fc.boolean(),
  runs: fc.subarray([901, 902, 903]),
});
const someHosts = fc
  .array(someHost, { maxLength: 5 })
  .map((hosts) =>
    hosts.map(({ accepting, ...fields }, index) =>
      hostNow(`eb${index}`, { ...fields, accepting, why_not: accepting ? null : 'no disk' }),
    ),
  );
const someTime = fc.option(fc.integer({ min: -72, max: 72 }).map(at), { nil: undefined });
const someRun = fc.record({
  tags: fc.subarray(['hold-processing', 'abandon']).map((names) => names.map((name) => ({ name }))),
  detectors: fc.constantFrom(['tpc'], ['muon_veto'], ['tpc', 'neutron_veto']),
  bootstrax: fc.record({
    state: fc.constantFrom(null, null, 'considering', 'busy', 'failed', 'failed', 'done'),
    host: fc.constantFrom('eb0', 'eb1', 'eb9', undefined),
    time: someTime,
    n_failures: fc.nat({ max: 11 }),
    next_retry: someTime,
    outcome: fc.constantFrom('failed', 'set_aside', undefined),
  }),
});
const fleetFacts = fc.record({
  queueLength: fc.nat({ max: 6 }),
  livePrimaries: fc.nat({ max: 3 }),
});

function hasFreshHeartbeat({ state, time }: { state: string | null; time?: Date | undefined }) {
  const lease = state === 'busy' ? LIMITS.busyLeaseSeconds : LIMITS.consideringLeaseSeconds;
  return time !== undefined && time.getTime() + lease * 1000 > NOW.getTime();
}

/** The page: who is silent there promises nothing here. */
function checkPage(
  hosts: readonly HostView[],
  stored: Parameters<typeof readRun>[0],
  explained: FleetExplanation,
) {
  const limits = { diskPercent: 80, presumedDeadSeconds: DEAD_AFTER_SECONDS };
  const cards = hosts.map((host) => hostCard(host, [], limits, NOW));
  const row = runRow('1', runView(readRun(stored), NOW), defaultRules.retry.maxFailures, '');
  const items = attention({ runs: [row], hosts: cards, changedAt: new Map() }, LIMITS, NOW);
  const silent = items.flatMap(({ kind, host }) => (kind === 'host_silent' ? [host] : []));
  expect(silent.sort()).toEqual(
    hosts
      .filter(({ state }) => state === 'dead')
      .map(({ host }) => host)
      .sort(),
  );
  if (items.some(({ kind }) => kind === 'promise_missed')) {
    expect(['eligible', 'waiting', 'malformed']).toContain(explained.verdict);
    expect(explained.next?.at ?? null).toBeNull();
  }
  if (row.condition === 'held') expect(explained.verdict).not.toBe('eligible');
}

describe('what explain, next, status and the page say of a random fleet', () => {
  it('does not contradict itself, promises nothing in the past, and nothing by the dead', () => {
    fc.assert(
      fc.property(
        someHosts,
        someRun,
        fleetFacts,
        fc.nat({ max: 3 }),
        (hosts, run, facts, waiting) => {
          const stored = runDocument(run);
          const parsed = parseRun(stored);
          const explained = explainFleet(
            parsed,
            { hosts, waiting },
            { fleet: facts, rules: defaultRules, now: NOW },
          );
          const alive = hosts.filter(({ state }) => state !== 'dead');

          // `next`, asked on each host that lives, lists what is eligible, and nothing else.
          const listed = alive.filter(
            (host) =>
              nextRuns([parsed], factsOf(host, alive), {
                fleet: facts,
                rules: defaultRules,
                now: NOW,
              }).runs.length > 0,
          );
          if (alive.length > 0) expect(explained.verdict === 'eligible').toBe(listed.length > 0);

          const { next } = explained;
          if (next?.at != null) {
            expect(Date.parse(next.at)).toBeGreaterThan(NOW.getTime());
            expect(alive).not.toEqual([]);
          }
          // A run with a fresh heartbeat is held by somebody, whatever else reports.
          const isHeldNow = explained.verdict === 'running' && hasFreshHeartbeat(run.bootstrax);
          if (next !== null && alive.length === 0 && !isHeldNow) {
            expect(next.who).toBeNull();
            expect(next.what).toMatch(/^once a manager is started/);
          }
          // Whoever is named to claim it lives and would take it.
          if (explained.verdict === 'eligible' && alive.length > 0) {
            const named = listed.some(({ host }) => next?.who?.includes(host));
            expect(named || next?.who === `the first of ${listed.length} hosts`).toBe(true);
          }
          // A time to be tried at is promised only with a place.
          if (next?.what === 'it is tried again') {
            expect(freeSlots(hosts)).toBeGreaterThan(waiting);
          }

          checkPage(hosts, stored, explained);
        },
      ),
      { numRuns: FLEETS },
    );
  });
});
