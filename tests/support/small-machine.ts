import { stringify } from 'smol-toml';

import type { Settings } from '../../src/infra/config/entries.ts';
import type { Rules } from '../../src/infra/config/rules.pure.ts';

type Some<T> = T extends readonly unknown[] | string | number | boolean | null
  ? T
  : { readonly [Key in keyof T]?: Some<T[Key]> | undefined };

/** Settings by their names in the code; `undefined` leaves one to its default. */
export type Changes = Some<Omit<Settings, 'rules'> & Rules>;

type Tree = Record<string, unknown>;

interface Row {
  cores: number;
  maxMessages: number;
  timeoutSeconds: number;
}

const ONE_CORE: Row = { cores: 1, maxMessages: 4, timeoutSeconds: 60 };

/** Each run gets the same, whatever its rate. */
export function resourcesOfAll(row: Row): Changes {
  return {
    resources: {
      tables: {
        new: [
          { rateMBps: 0, ...row },
          { rateMBps: 550, ...row },
        ],
      },
      fallback: row,
    },
  };
}

/** Limits that suit a test machine: delays short, any disk is large enough, one core. */
const SMALL: Changes = {
  disk: { maxUsedPercent: 100, minFreeBytes: 0 },
  retry: { baseSeconds: 0.2, growth: 1.5, uncounted: { firstSeconds: 0.2 } },
  limits: { renewSeconds: 1, minRateAgeSeconds: 0, maxRateSeconds: 2, endOfRunSeconds: 30 },
  resources: { ...resourcesOfAll(ONE_CORE).resources, clips: { cores: { min: 1 } } },
};

/** A configuration file. No string, so that nobody changes a setting by replacing text. */
export interface Configuration {
  /** TOML. */
  readonly text: string;
}

/** A configuration file for a small machine; of several changes of one setting the last holds. */
export function smallMachine(...changes: readonly Changes[]): Configuration {
  return configuration(SMALL, ...changes);
}

/** A configuration file with these settings alone. */
export function configuration(...changes: readonly Changes[]): Configuration {
  return { text: stringify(written(changes.reduce<unknown>(merged, {}))) };
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
