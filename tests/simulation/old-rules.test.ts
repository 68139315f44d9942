import { afterEach, expect, test, vi } from 'vitest';

import type * as certification from '../../src/attempt/certification.pure.ts';
import type * as ownership from '../../src/attempt/files/ownership.pure.ts';
import type * as liveInput from '../../src/attempt/live-input.pure.ts';
import type * as foreignProcesses from '../../src/attempt/process/foreign-processes.pure.ts';
import type * as identity from '../../src/claim/claimed-run.pure.ts';
import type * as hostName from '../../src/exclusion/host-name.pure.ts';
import type * as sameNumber from '../../src/run/same-number.pure.ts';
import type { OldRule } from './options.ts';
import { simulate } from './simulation.ts';
import type { World } from './worlds.ts';

// Decisions as they were before: each test puts some of them back.
const NONE = {
  removeByPath: false,
  numbersNotCompared: false,
  copiesBelieved: false,
  othersNotAwaited: false,
  namesNotCompared: false,
  notLookedAt: false,
  lacksUntold: false,
  lacksHandedOn: false,
};
const old = vi.hoisted(() => ({}) as Record<keyof typeof NONE, boolean>);

vi.mock('../../src/attempt/files/ownership.pure.ts', async (original) => {
  const now = await original<typeof ownership>();
  const mayRemove: typeof now.mayRemove = (...asked) =>
    old.removeByPath ? { kind: 'yes' } : now.mayRemove(...asked);
  return { ...now, mayRemove };
});

vi.mock('../../src/run/same-number.pure.ts', async (original) => {
  const now = await original<typeof sameNumber>();
  const mayBegin: typeof now.mayBegin = (...asked) =>
    old.numbersNotCompared ? { kind: 'yes' } : now.mayBegin(...asked);
  return { ...now, mayBegin };
});

vi.mock('../../src/claim/claimed-run.pure.ts', async (original) => {
  const now = await original<typeof identity>();
  const isAsItsAttemptLeftIt: typeof now.isAsItsAttemptLeftIt = (asked) =>
    old.copiesBelieved || now.isAsItsAttemptLeftIt(asked);
  return { ...now, isAsItsAttemptLeftIt };
});

vi.mock('../../src/attempt/process/foreign-processes.pure.ts', async (original) => {
  const now = await original<typeof foreignProcesses>();
  const toWaitFor: typeof now.toWaitFor = (...asked) =>
    old.othersNotAwaited ? [] : now.toWaitFor(...asked);
  return { ...now, toWaitFor };
});

vi.mock('../../src/exclusion/host-name.pure.ts', async (original) => {
  const now = await original<typeof hostName>();
  const hostNameFor: typeof now.hostNameFor = (...asked) =>
    old.namesNotCompared ? { kind: 'as_given' } : now.hostNameFor(...asked);
  return { ...now, hostNameFor };
});

vi.mock('../../src/attempt/certification.pure.ts', async (original) => {
  const now = await original<typeof certification>();
  const uncertifiable: typeof now.uncertifiable = (...asked) =>
    old.notLookedAt ? null : now.uncertifiable(...asked);
  return { ...now, uncertifiable };
});

vi.mock('../../src/attempt/live-input.pure.ts', async (original) => {
  const now = await original<typeof liveInput>();
  const incompleteOf: typeof now.incompleteOf = (...asked) =>
    old.lacksUntold ? null : now.incompleteOf(...asked);
  const lacksData: typeof now.lacksData = (...asked) =>
    !old.lacksHandedOn && now.lacksData(...asked);
  return { ...now, incompleteOf, lacksData };
});

interface Control {
  world: World;
  losses: readonly string[];
  /** Rules that are no decisions. */
  rules?: readonly OldRule[];
  /** A night known to have it is the first, to save time: any other would do. */
  first?: number;
}

/** Simulates such nights one after the other; answers whether one of these losses was found. */
async function isFound({ world, losses, rules = [], first = 0 }: Control): Promise<boolean> {
  for (let i = 0; i < MOST_SEEDS; i++) {
    const seed = (first + i) % MOST_SEEDS;
    const { violations } = await simulate(seed, { worlds: [world], old: rules });
    if (violations.some(({ invariant }) => losses.includes(invariant))) return true;
  }
  return false;
}

/** Enough for each loss to be found several times over. */
const MOST_SEEDS = 200;
const LIMIT_MS = 600_000;
const OF_PRODUCTS = ['finished products stay', 'done has its data', 'one effective owner'];

afterEach(() => {
  Object.assign(old, NONE);
});

test(
  'with folders removed by their path alone products are lost where an output folder is shared',
  async () => {
    old.removeByPath = true;
    expect(await isFound({ world: 'shared output', losses: OF_PRODUCTS })).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with managers side by side, each in a state folder of its own, folders are removed beside who writes to them, or left behind',
  async () => {
    old.othersNotAwaited = true;
    const losses = ['one effective owner', 'nothing is left behind', 'counted failures'];
    const rules: OldRule[] = ['managers live side by side'];
    expect(await isFound({ world: 'strangers', losses, rules, first: 8 })).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with state folders that do not remember their host what one of two hosts has there is lost',
  async () => {
    old.namesNotCompared = true;
    const losses = ['one effective owner', 'nothing is left behind', 'a busy run is stopped'];
    expect(await isFound({ world: 'shared state', losses, first: 142 })).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with fields believed that others copy along, a run is taken from a program that goes on with it',
  async () => {
    old.copiesBelieved = true;
    const losses = ['one effective owner', 'the lease of others'];
    expect(await isFound({ world: 'guest', losses, first: 31 })).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with strax processes of others not waited for, nor their folders, two write to one folder',
  async () => {
    // Each of the two rules covers for the other.
    Object.assign(old, { othersNotAwaited: true, removeByPath: true });
    expect(await isFound({ world: 'guest', losses: ['one effective owner'], first: 15 })).toBe(
      true,
    );
  },
  LIMIT_MS,
);

test(
  'with runs handed on that nobody has looked at, one without products is',
  async () => {
    old.notLookedAt = true;
    const losses = ['only what is there is certified'];
    expect(await isFound({ world: 'bare done', losses })).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with numbers that are not compared a run is begun whose number another is done with',
  async () => {
    old.numbersNotCompared = true;
    expect(
      await isFound({ world: 'recount', losses: ['one number, one document'], first: 2 }),
    ).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with verdicts of one look, an attempt that has finished is called vanished',
  async () => {
    const losses = ['who finished has not vanished'];
    const rules: OldRule[] = ['no second look'];
    expect(await isFound({ world: 'late reads', losses, rules, first: 58 })).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with strax believed, files that came late, never or cut are not told of',
  async () => {
    const losses = ['what lacks is told'];
    const rules: OldRule[] = ['strax is believed'];
    expect(await isFound({ world: 'damaged input', losses, rules })).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with input that nobody looks at, files that came late, never or cut are not told of',
  async () => {
    old.lacksUntold = true;
    const losses = ['what lacks is told'];
    expect(await isFound({ world: 'damaged input', losses })).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with runs handed on whatever they lack, one whose files could not be read is',
  async () => {
    old.lacksHandedOn = true;
    const losses = ['only what is there is certified'];
    expect(await isFound({ world: 'damaged input', losses, first: 30 })).toBe(true);
  },
  LIMIT_MS,
);
