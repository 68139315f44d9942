import type { z } from 'zod';
import type { Rules } from './rules.pure.ts';
import { snakeCase, type Setting } from './setting.ts';
import { TABLE } from './setting-table.ts';

interface Tree {
  readonly [key: string]: Setting | Tree;
}

type Values<T> = {
  [K in keyof T]: T[K] extends { schema: z.ZodType<infer V> } ? V : Values<T[K]>;
};

type AllValues = Values<typeof TABLE>;
type RuleSection =
  | 'claim'
  | 'targets'
  | 'resources'
  | 'retry'
  | 'quarantine'
  | 'debt'
  | 'disk'
  | 'memory'
  | 'limits';

/** User and password for one server. */
export interface Credentials {
  username: string;
  password: string;
  authSource?: string;
}

/** All settings, resolved. Lengths of time in seconds unless the name says otherwise. */
export type Settings = Omit<AllValues, RuleSection | 'database'> & {
  database: AllValues['database'] & {
    /** From a file only its owner may read; never shown. */
    credentials: { runs: Credentials | null; daq: Credentials | null };
  };
  rules: Rules;
};

/** One setting with its place and its names. */
export interface Entry {
  /** Keys in the nested object, e.g. `['paths', 'liveData']`. */
  keys: readonly string[];
  /** As in the file, e.g. `paths.live_data`. */
  path: string;
  /** Null for a table, and for what is hidden. */
  env: string | null;
  /** With dashes; null for a table, and for what is hidden. */
  flag: string | null;
  setting: Setting;
}

/** Every setting, in the order of the table. */
export const ENTRIES: readonly Entry[] = entriesOf(TABLE, []);

function entriesOf(tree: Tree, above: readonly string[]): Entry[] {
  return Object.entries(tree).flatMap(([key, node]) => {
    const keys = [...above, key];
    return isSetting(node) ? [entryOf(keys, node)] : entriesOf(node, keys);
  });
}

function isSetting(node: Setting | Tree): node is Setting {
  return typeof (node as Partial<Setting>).defaultValue === 'function';
}

function entryOf(keys: readonly string[], setting: Setting): Entry {
  const names = keys.map(snakeCase);
  const flagName = setting.name ?? names.join('-').replaceAll('_', '-');
  const isFileOnly = setting.kind === 'table' || setting.hidden === true;
  return {
    keys,
    path: names.join('.'),
    env: isFileOnly ? null : `BOOTSTRAX_${flagName.toUpperCase().replaceAll('-', '_')}`,
    flag: isFileOnly ? null : `--${flagName}`,
    setting,
  };
}
