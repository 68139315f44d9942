import { stringify } from 'smol-toml';

import type { Settings } from '../../src/infra/config/entries.ts';
import type { Rules } from '../../src/infra/config/rules.pure.ts';

type Some<T> = T extends readonly unknown[] | string | number | boolean | null
  ? T
  : { readonly [Key in keyof T]?: Some<T[Key]> | undefined };

/** Settings by their names in the code; `undefined` leaves one to its default. */
export type Changes = Some<Omit<Settings, 'rules'> & Rules>;

type Tree = Record<string, unknown>;

const ONE_CORE = { cores: 1, maxMessages: 4, timeoutSeconds: 60 };

/** Limits that suit a test machine: delays short, any disk is large enough, two cores. */
const SMALL: Changes = {
  disk: { maxUsedPercent: 100, minFreeBytes: 0 },
  retry: { baseSeconds: 0.2, growth: 1.5, uncounted: { firstSeconds: 0.2 } },
  limits: { renewSeconds: 1, minRateAgeSeconds: 0, maxRateSeconds: 2, endOfRunSeconds: 30 },
  resources: {
    tables: {
      new: [
        { rateMBps: 0, ...ONE_CORE },
        { rateMBps: 550, ...ONE_CORE },
      ],
    },
    clips: { cores: { min: 1 } },
    fallback: ONE_CORE,
  },
};

/** A configuration file for a small machine, with these changes. */
export function smallMachine(changes: Changes = {}): string {
  return stringify(written(merged(SMALL, changes)) as Tree);
}

function merged(one: unknown, other: unknown): unknown {
  if (!isTree(one) || !isTree(other)) return other;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...names].map((name) => [name, name in other ? merged(one[name], other[name]) : one[name]]),
  );
}

/** With the names of the file: `baseSeconds` is `base_seconds` there. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([name, each]) => [
        name.replace(/[A-Z]+/g, (capitals) => `_${capitals.toLowerCase()}`),
        written(each),
      ]),
  );
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
