import { describe, expect, it } from 'vitest';

import { claimDecision, type HostFacts } from '../../../src/domain/claim.ts';
import { explain } from '../../../src/domain/explain.ts';
import type { Places } from '../../../src/domain/places.ts';
import { defaultRules } from '../../../src/domain/rules.ts';
import { at, NOW, parsed } from './documents.ts';

const HOST: HostFacts = { host: 'eb3.xenon.local', role: 'primary', accepting: { ok: true } };
const FLEET = { queueLength: 1, livePrimaries: 3 };

function step(
  bootstrax: Record<string, unknown>,
  host: Partial<HostFacts> = {},
  places: Places = { kind: 'free', since: null },
) {
  const run = parsed({ bootstrax });
  return explain(run, { ...HOST, ...host }, FLEET, defaultRules, NOW, places).next;
}

describe('what comes next', () => {
  const disk = { accepting: { ok: false, reason: 'disk' } } as const;

  it('for a failed run without a time for another try is nothing: only a person brings it back', () => {
    expect(step({ state: 'failed', n_failures: 1 }, disk)).toBeNull();
    expect(step({ state: 'failed', n_failures: 1, next_retry: at(-1) }, disk)).not.toBeNull();
  });

  it('for a run that is due is its claim, by a host that takes runs', () => {
    const due = { state: 'failed', n_failures: 1, next_retry: at(-1) };
    for (const bootstrax of [{ state: null }, due]) {
      expect(step(bootstrax, disk)).toEqual({
        what: 'it is claimed',
        at: null,
        who: 'another host, or eb3.xenon.local once it takes runs',
      });
    }
    expect(step({ state: null }, { role: 'never' })).toEqual({
      what: 'it is claimed',
      at: null,
      who: 'a primary host',
    });
  });

  it('for a run that is not due yet is the time of its next try', () => {
    expect(step({ state: 'failed', n_failures: 1, next_retry: at(1) })).toEqual({
      what: 'it is tried again',
      at: at(1).toISOString(),
      who: 'the first host with a free place',
    });
  });

  it('is no time where no place is free by now: nobody could promise it', () => {
    const waiting = { state: 'failed', n_failures: 1, next_retry: at(1) };
    const when = at(1).toISOString();
    const who = 'the first host with a free place';
    expect(step(waiting, {}, { kind: 'full' })).toEqual({
      ...{ what: `it is tried again when a place is free, not before ${when}`, at: null, who },
    });
    expect(step(waiting, {}, { kind: 'none' })).toEqual({
      ...{ what: `it is tried again when a host takes runs, not before ${when}`, at: null, who },
    });
  });
});

it('a claim that fits gives no reason against itself', () => {
  for (const detectors of [['neutron_veto'], ['tpc']]) {
    const decision = claimDecision(parsed({ detectors }), HOST, FLEET, defaultRules, NOW);
    expect(decision).toEqual({ kind: 'claim', purpose: 'new', why: 'a new run' });
  }
});
