import { describe, expect, it } from 'vitest';

import { claimDecision, type HostFacts } from '../../../src/claim/claim.pure.ts';
import type { HostView } from '../../../src/host/host-document.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { explain } from '../../../src/readmodel/explain.pure.ts';
import { at, NOW, parsed } from '../run/documents.ts';
import { hostNow } from './fleets.ts';

const HOST: HostFacts = { host: 'eb3', role: 'primary', accepting: { ok: true } };
const FLEET = { queueLength: 1, livePrimaries: 3 };
const SILENT = { ageSeconds: 1200 };

function step(
  bootstrax: Record<string, unknown>,
  {
    host = {},
    hosts = [hostNow('eb3'), hostNow('eb4')],
    waiting = 0,
  }: { host?: Partial<HostFacts>; hosts?: HostView[]; waiting?: number } = {},
  changes: Record<string, unknown> = {},
) {
  const run = parsed({ bootstrax, ...changes });
  const facts = { ...HOST, ...host };
  return explain(run, facts, { fleet: FLEET, rules: defaultRules, now: NOW }, { hosts, waiting })
    .next;
}

const noDisk = { accepting: { ok: false, reason: 'disk' } } as const;
const due = { state: 'failed', n_failures: 1, next_retry: at(-1) };
const later = { state: 'failed', n_failures: 1, next_retry: at(1) };

describe('what comes next', () => {
  it('for a failed run without a time for another attempt is nothing: only a person brings it back', () => {
    expect(step({ state: 'failed', n_failures: 1 }, { host: noDisk })).toBeNull();
    expect(step(due, { host: noDisk })).not.toBeNull();
  });

  it('for a run that is due is its claim, by a host that takes runs', () => {
    for (const bootstrax of [{ state: null }, due]) {
      expect(step(bootstrax)).toMatchObject({
        what: 'it is claimed when a slot is free',
        who: 'eb3',
      });
      expect(step(bootstrax, { host: noDisk })).toEqual({
        what: 'it is claimed',
        at: null,
        who: 'another host, or eb3 once it takes runs',
      });
    }
    expect(step({ state: null }, { host: { role: 'never' } })).toEqual({
      what: 'it is claimed',
      at: null,
      who: 'a primary host',
    });
  });

  it('is promised by nobody where no host takes runs', () => {
    const blocked = { accepting: false, why_not: 'disk' };
    const hosts = [hostNow('eb3', blocked), hostNow('eb4', SILENT)];
    expect(step({ state: null }, { host: noDisk, hosts })?.what).toMatch(/none does now/);
    const backups = [hostNow('eb2', { role: 'backup' }), hostNow('eb4', SILENT)];
    const backup = { host: 'eb2', role: 'never' } as const;
    expect(step({ state: null }, { host: backup, hosts: backups })).toMatchObject({
      what: 'it is claimed when a primary host takes runs: none does now',
      who: null,
    });
  });

  it.each([
    ['new', { state: null }],
    ['due', due],
    ['not due yet', later],
    ['busy beyond its lease', { state: 'busy', host: 'eb3', time: at(-1) }],
  ])('for a run that is %s waits for a manager where none is alive', (_, bootstrax) => {
    const silent = step(bootstrax, { hosts: [hostNow('eb3', SILENT)] });
    expect(silent).toMatchObject({ at: null, who: null });
    expect(silent?.what).toMatch(
      /^once a manager is started, .*the last heartbeat came from eb3 20 min ago/,
    );
    expect(step(bootstrax, { hosts: [] })?.what).toMatch(/no manager has ever sent a heartbeat/);
  });

  it('for a run that is not due yet is the time of its next attempt', () => {
    expect(step(later)).toEqual({
      what: 'it is tried again',
      at: at(1).toISOString(),
      who: 'the first host with a free slot',
    });
  });

  it('is no time where no slot is free by now: nobody could promise it', () => {
    const when = at(1).toISOString();
    const who = 'the first host with a free slot';
    const full = [hostNow('eb3', { runs: [7] })];
    expect(step(later, { hosts: full })).toEqual({
      ...{ what: `it is tried again when a slot is free, not before ${when}`, at: null, who },
    });
    expect(step(later, { waiting: 2 })?.what).toMatch(/when a slot is free/);
    const drained = [hostNow('eb3', { accepting: false, why_not: 'drained' })];
    expect(step(later, { hosts: drained })).toEqual({
      ...{ what: `it is tried again when a host takes runs, not before ${when}`, at: null, who },
    });
  });
});

describe('what comes next for a run in work', () => {
  const busy = (secondsAgo: number) => ({
    ...{ state: 'busy', host: 'eb3', attempt: 'a'.repeat(24) },
    time: new Date(NOW.getTime() - secondsAgo * 1000),
  });

  it('is a take-over at the end of the lease, where another host lives to do it', () => {
    expect(step(busy(30))).toMatchObject({
      what: 'eb3 concludes it; if eb3 stays silent until this time, another host takes it over',
      at: new Date(NOW.getTime() + 90_000).toISOString(),
    });
    const alone = step(busy(30), { hosts: [hostNow('eb3'), hostNow('eb4', SILENT)] });
    expect(alone).toMatchObject({ at: null, who: 'eb3' });
    expect(alone?.what).toMatch(/no host takes it over/);
  });

  it('is what it waits for before it is begun, as long as its holder is heard of', () => {
    const claimed = (secondsAgo: number) => ({
      ...{ ...busy(secondsAgo), state: 'considering' },
      waits_for: 'the worker to warm up, since 2026-01-01 00:00:00 UTC',
    });
    const what =
      'it waits for the worker to warm up, since 2026-01-01 00:00:00 UTC; then it is processed';
    expect(step(claimed(5))).toEqual({ what, at: null, who: 'eb3' });
    expect(step(claimed(61))?.what).toMatch(/^eb3 has sent no heartbeat of it for 61 s/);
    // What is left of an earlier attempt, or is no text, is nothing that it waits for.
    expect(step({ ...claimed(5), state: 'busy' })?.what).toMatch(/^eb3 concludes it/);
    expect(step({ ...claimed(5), waits_for: 7 })?.what).toMatch(/^eb3 concludes it/);
  });

  it('is no time that has passed', () => {
    const late = step(busy(1200), { hosts: [hostNow('eb3', SILENT), hostNow('eb4')] });
    expect(late).toMatchObject({ at: null, who: 'another host' });
    expect(late?.what).toMatch(/^eb3 has sent no heartbeat of it for 20 min: it is taken over/);
    const restarted = step(busy(1200), { hosts: [hostNow('eb3')] });
    expect(restarted).toMatchObject({ at: null, who: 'eb3' });
  });

  it('is said without a time where the document has none', () => {
    const claimed = { state: 'considering' };
    expect(step(claimed)).toMatchObject({ at: null, who: 'another host' });
  });
});

it('a claim that fits gives no reason against itself', () => {
  for (const detectors of [['neutron_veto'], ['tpc']]) {
    const decision = claimDecision(parsed({ detectors }), HOST, {
      fleet: FLEET,
      rules: defaultRules,
      now: NOW,
    });
    expect(decision).toEqual({ kind: 'claim', purpose: 'new', why: 'a new run' });
  }
});
