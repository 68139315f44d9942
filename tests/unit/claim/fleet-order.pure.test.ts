import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { claimRank, dutyRank, type FleetHost, Walk } from '../../../src/claim/fleet-order.pure.ts';

const fleetHost = fc.record({
  role: fc.constantFrom('primary', 'backup', 'never'),
  free: fc.boolean(),
  ...{ keepsOrder: fc.boolean(), hasCluster: fc.boolean() },
});
const fleet = fc
  .array(fleetHost, { minLength: 1, maxLength: 24 })
  .map((hosts) => hosts.map((host, n): FleetHost => ({ host: `eb${n}.lab`, ...host })));

describe('who tries a run first', () => {
  it('is one of the free hosts, as all of them agree, and each has a place of its own', () => {
    fc.assert(
      fc.property(fleet, fc.string(), (hosts, key) => {
        const free = hosts.filter((host) => host.free);
        const ranks = free.map((host) => claimRank(key, host, hosts));
        expect(ranks.sort((a, b) => a - b)).toEqual(free.map((_, n) => n));
      }),
    );
  });

  it('is a primary host while one is free, and this host where none of the others is', () => {
    fc.assert(
      fc.property(fleet, fc.string(), (hosts, key) => {
        const free = hosts.filter((host) => host.free);
        const first = free.find((host) => claimRank(key, host, hosts) === 0);
        if (free.some(({ role }) => role === 'primary')) expect(first?.role).toBe('primary');
        const alone = hosts.map((host) => ({ ...host, free: false }));
        expect(claimRank(key, hosts[0]!, alone)).toBe(0);
      }),
    );
  });

  it('is another one for each run, so that no host goes first for all', () => {
    const hosts = Array.from({ length: 8 }, (_, n): FleetHost => {
      return {
        host: `eb${n}.lab`,
        role: 'primary',
        free: true,
        keepsOrder: true,
        hasCluster: false,
      };
    });
    const firsts = Array.from({ length: 800 }, (_, run) =>
      hosts.findIndex((host) => claimRank(`run ${run}`, host, hosts) === 0),
    );
    for (let n = 0; n < 8; n++) {
      expect(firsts.filter((first) => first === n).length).toBeGreaterThan(50);
    }
  });
});

describe('what one host does for all', () => {
  it('is done by exactly one of those that come round to it', () => {
    fc.assert(
      fc.property(fleet, (hosts) => {
        const keepers = hosts.filter(({ keepsOrder }) => keepsOrder);
        const firsts = keepers.filter(({ host }) => dutyRank(host, hosts) === 0);
        expect(firsts).toHaveLength(Math.min(1, keepers.length));
      }),
    );
  });

  it('is done by a host that knows of no other', () => {
    expect(dutyRank('eb9.lab', [])).toBe(0);
  });
});

describe('the walk through what may be taken', () => {
  it('begins with the best where no other host is free', () => {
    const walk = new Walk(['new', 'older', 'oldest'], 0, 'eb0');
    expect(walk.next()).toBe('new');
    walk.taken();
    expect(walk.next()).toBe('older');
  });

  it('leaves out nothing, whichever races are lost', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), fc.array(fc.boolean()), (count, rank, won) => {
        const all = Array.from({ length: count }, (_, n) => n);
        const walk = new Walk(all, rank, 'eb0');
        const tried: number[] = [];
        for (let next = walk.next(); next !== undefined; next = walk.next()) {
          tried.push(next);
          if (won[tried.length]) walk.taken();
          else walk.lost();
        }
        expect(tried.sort((a, b) => a - b)).toEqual(all);
      }),
    );
  });

  it('begins elsewhere for each of several free hosts', () => {
    const runs = Array.from({ length: 20 }, (_, n) => n);
    const firsts = Array.from({ length: 8 }, (_, rank) => new Walk(runs, rank, 'x').next());
    expect(new Set(firsts).size).toBe(8);
    expect(firsts[0]).toBe(0);
  });
});
