import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { nextRuns } from '../../../src/claim/next-runs.pure.ts';
import { warmHostBeside, workerWaitText } from '../../../src/claim/warm-host.pure.ts';
import type { HostView } from '../../../src/host/host-document.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import { explainFleet, factsOf } from '../../../src/readmodel/explain-fleet.pure.ts';
import { hostNow } from '../readmodel/fleets.ts';
import { NOW, parsed } from '../run/documents.ts';

const FLEET = { queueLength: 1, livePrimaries: 3 };
const WARM = { worker_ready: true };
const LEFT = 'its worker still warms up, and eb4 has a warm one and a free slot';

const someHosts = fc.array(
  fc.record({
    role: fc.constantFrom('primary' as const, 'backup' as const, 'never' as const),
    free: fc.boolean(),
  }),
  { maxLength: 6 },
);

function opinions(...hosts: HostView[]) {
  const run = parsed({});
  const {
    verdict,
    next,
    hosts: asked,
  } = explainFleet(run, { hosts, waiting: 0 }, { fleet: FLEET, rules: defaultRules, now: NOW });
  const takers = hosts
    .filter(
      (host) =>
        nextRuns([run], factsOf(host, hosts), { fleet: FLEET, rules: defaultRules, now: NOW }).runs
          .length,
    )
    .map(({ host }) => host);
  return { verdict, who: next?.who, obstacles: asked.map(({ obstacle }) => obstacle), takers };
}

describe('a host whose worker warms up', () => {
  it('leaves runs only to another primary host with a warm worker and a free slot', () => {
    fc.assert(
      fc.property(someHosts, fc.nat({ max: 5 }), (fleet, self) => {
        const hosts = fleet.map((host, n) => ({ host: `eb${n}`, ...host }));
        const others = hosts.filter(({ host }) => host !== `eb${self}`);
        const warm = others.filter(({ role, free }) => free && role === 'primary');
        const place = warmHostBeside(`eb${self}`, hosts);
        expect(place === null).toBe(warm.length === 0);
        if (place !== null) expect(warm.map(({ host }) => host)).toContain(place);
      }),
    );
  });

  it('is said to leave a run to the warm one by explain, and next does not list it there', () => {
    const { verdict, who, obstacles, takers } = opinions(hostNow('eb3'), hostNow('eb4', WARM));
    expect({ verdict, who, takers }).toEqual({ verdict: 'eligible', who: 'eb4', takers: ['eb4'] });
    expect(obstacles).toEqual([`eb3 takes runs: ${LEFT}`, null]);
  });

  it.each<[string, HostView]>([
    ['is busy', hostNow('eb4', { ...WARM, runs: [7] })],
    ['takes no runs', hostNow('eb4', { ...WARM, accepting: false, why_not: 'the disk is full' })],
    ['is silent', hostNow('eb4', { ...WARM, ageSeconds: 1200 })],
    ['is a backup host', hostNow('eb4', { ...WARM, role: 'backup' })],
    ['warms up as well', hostNow('eb4')],
  ])('takes a run itself where the other host %s', (_, other) => {
    const { verdict, takers } = opinions(hostNow('eb3'), other);
    expect(verdict).toBe('eligible');
    expect(takers).toContain('eb3');
  });

  it('says since when a run waits, by the clock of the server, in UTC', () => {
    expect(workerWaitText(new Date('2026-03-04T05:06:07.890Z'))).toBe(
      'the worker to warm up, since 2026-03-04 05:06:07 UTC',
    );
  });
});
