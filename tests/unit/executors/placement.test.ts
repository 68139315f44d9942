import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { JobRules } from '../../../src/executors/job-rules.pure.ts';
import {
  isBetterHere,
  placementOf,
  type PlacesNow,
  type RunToPlace,
} from '../../../src/executors/placement.pure.ts';

const RULES: JobRules = {
  ...{ takes: ['debt', 'reprocess', 'backlog'], live: false, backlogSeconds: 3600 },
  ...{ memoryBytes: 8e9, bytesPerMBps: 0, maxMemoryBytes: 64e9, maxSeconds: 86_400 },
};
const RUN: RunToPlace = {
  ...{ kind: 'run', sinceEndSeconds: 7200, wanted: null, needsBytes: null, onlyHere: null },
};
const UP = { free: 3, why: null, downSeconds: null };
const FULL = { free: 0, why: '4 jobs wait in Slurm already', downSeconds: null };
const DOWN = { free: 0, why: 'Slurm does not answer', downSeconds: 4000 };
const PLACES: PlacesNow = {
  here: { free: 1, bytes: 16e9 },
  ...{ cluster: UP, quietSeconds: 60, noneFreeSeconds: 0 },
};
const on = (run: Partial<RunToPlace>, places: Partial<PlacesNow>, rules: Partial<JobRules> = {}) =>
  placementOf({ ...RUN, ...run }, { ...PLACES, ...places }, { ...RULES, ...rules }).on;
const here = (free: number) => ({ here: { free, bytes: 16e9 } });

describe('where a run goes', () => {
  it.each<[string, Partial<RunToPlace>, Partial<PlacesNow>, Partial<JobRules>, string]>([
    ['being taken, a place is free here', { sinceEndSeconds: null }, {}, {}, 'local'],
    ['being taken, no place is free here', { sinceEndSeconds: null }, here(0), {}, 'nowhere'],
    ['ended lately', { sinceEndSeconds: 100 }, here(0), {}, 'nowhere'],
    [
      'ended lately, no host has a place, live = true',
      { sinceEndSeconds: 100 },
      { ...here(0), noneFreeSeconds: 700 },
      { live: true },
      'slurm',
    ],
    ['backlog, while runs are taken', {}, {}, {}, 'slurm'],
    ['backlog, while runs are taken, and two places are free', {}, here(2), {}, 'local'],
    ['backlog, no run is being taken', {}, { quietSeconds: 4000 }, {}, 'local'],
    ['backlog, no place is free here', {}, here(0), {}, 'slurm'],
    ['backlog that Slurm does not take', {}, {}, { takes: ['debt'] }, 'local'],
    ['backlog, Slurm is full, runs are taken', {}, { cluster: FULL }, {}, 'nowhere'],
    ['backlog, Slurm is down', {}, { cluster: DOWN }, {}, 'local'],
    ['backlog, without a cluster', {}, { cluster: null }, {}, 'local'],
    ['processed again', { kind: 'reprocess' }, here(2), {}, 'slurm'],
    ['a debt, Slurm is full', { kind: 'debt' }, { cluster: FULL }, {}, 'nowhere'],
    ['a debt, Slurm is down for an hour', { kind: 'debt' }, { cluster: DOWN }, {}, 'local'],
    ['wanted on Slurm, which is full', { wanted: 'slurm' }, { cluster: FULL }, {}, 'nowhere'],
    ['wanted here', { wanted: 'local' }, here(0), {}, 'nowhere'],
    ['in need of more memory', { needsBytes: 20e9, sinceEndSeconds: null }, {}, {}, 'slurm'],
    [
      'in need of more memory than a job may have',
      { needsBytes: 20e9 },
      { quietSeconds: 4000 },
      { maxMemoryBytes: 8e9 },
      'local',
    ],
    ['in need of more memory, Slurm is down', { needsBytes: 20e9 }, { cluster: DOWN }, {}, 'local'],
    [
      'processed again, which Slurm does not take',
      { kind: 'reprocess' },
      here(0),
      { takes: ['backlog'] },
      'nowhere',
    ],
    ['only visible here', { onlyHere: 'its live data' }, here(0), {}, 'nowhere'],
  ])('%s', (...[, run, places, rules, where]) => {
    expect(on(run, places, rules)).toBe(where);
  });

  it('is said with a reason', () => {
    const places = { ...PLACES, ...here(0), cluster: FULL };
    expect(placementOf(RUN, places, RULES)).toEqual({ on: 'nowhere', why: FULL.why });
  });
});

const places = fc.record<PlacesNow>({
  here: fc.record({ free: fc.nat(3), bytes: fc.constantFrom(null, 16e9) }),
  cluster: fc.constantFrom(null, UP, FULL, DOWN),
  quietSeconds: fc.constantFrom(0, 3599, 3600, 1e6),
  noneFreeSeconds: fc.constantFrom(0, 599, 600, 1e5),
});
const run = fc.record<RunToPlace>({
  kind: fc.constantFrom('run', 'reprocess', 'debt'),
  sinceEndSeconds: fc.constantFrom(null, -5, 0, 3599, 3600, 1e6),
  wanted: fc.constantFrom(null, 'local', 'slurm'),
  needsBytes: fc.constantFrom(null, 1e9, 20e9),
  onlyHere: fc.constantFrom(null, 'its live data'),
});
const rules = fc.record<JobRules>({
  takes: fc.subarray(['debt', 'reprocess', 'backlog'] as const),
  ...{ live: fc.boolean(), backlogSeconds: fc.constant(3600) },
  ...{ memoryBytes: fc.constant(8e9), bytesPerMBps: fc.constant(0) },
  maxMemoryBytes: fc.constant(64e9),
  maxSeconds: fc.constant(86_400),
});
const PLAIN = { kind: 'run', wanted: null, onlyHere: null, needsBytes: null } as const;

describe('whatever there is to do', () => {
  it('a run goes nowhere where no place is free', () => {
    fc.assert(
      fc.property(run, places, rules, (each, now, how) => {
        const { on: where } = placementOf(each, now, how);
        if (where === 'local') expect(now.here.free).toBeGreaterThan(0);
        if (where === 'slurm') expect(now.cluster?.free).toBeGreaterThan(0);
      }),
    );
  });

  it('no run that is being taken finds its place gone to a backlog', () => {
    fc.assert(
      fc.property(run, places, rules, (each, now, how) => {
        const isTaken = now.quietSeconds < 3600 && now.cluster?.downSeconds === null;
        if (!isTaken || !how.takes.includes('backlog') || now.here.free === 0) return;
        // What a person, the memory or the live data binds to a place has no choice.
        const backlog = { ...each, ...PLAIN, sinceEndSeconds: 1e5 };
        const left = now.here.free - (placementOf(backlog, now, how).on === 'local' ? 1 : 0);
        const after = { ...now, here: { ...now.here, free: left } };
        expect(placementOf({ ...PLAIN, sinceEndSeconds: null }, after, how).on).toBe('local');
      }),
    );
  });

  it('without a cluster, or with one that is down, a free place here is taken as ever', () => {
    fc.assert(
      fc.property(run, places, rules, (each, now, how) => {
        const alone = { ...now, cluster: null };
        if (now.here.free > 0) expect(placementOf(each, alone, how).on).toBe('local');
        const down = { ...now, cluster: DOWN };
        if (now.here.free > 0 && each.needsBytes !== 20e9) {
          expect(placementOf(each, down, how).on).toBe('local');
        }
      }),
    );
  });

  it('no place here stays free for the sake of Slurm once no run is being taken', () => {
    fc.assert(
      fc.property(run, places, rules, (each, now, how) => {
        const quiet = { ...now, quietSeconds: 1e5 };
        const backlog = { ...each, ...PLAIN, sinceEndSeconds: 1e5 };
        if (now.here.free === 0) return;
        expect(placementOf(backlog, quiet, how).on).toBe('local');
        expect(isBetterHere(backlog, quiet, how)).toBe(true);
      }),
    );
  });

  it('a run that is taken back from Slurm finds a place here', () => {
    fc.assert(
      fc.property(run, places, rules, (each, now, how) => {
        if (isBetterHere(each, now, how)) expect(now.here.free).toBeGreaterThan(0);
      }),
    );
  });
});
