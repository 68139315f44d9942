import { z } from 'zod';

import { RULES, type Rules } from './rules.pure.ts';
import { HOST_SETTINGS } from './schema/host-settings.pure.ts';
import { SERVICE_SETTINGS } from './schema/service-settings.pure.ts';
import { describeSetting, type Setting, snakeCase } from './schema/setting.pure.ts';
import { SLURM_SETTINGS } from './schema/slurm-settings.pure.ts';

const SITE = z.strictObject({
  ...HOST_SETTINGS.shape,
  ...SLURM_SETTINGS.shape,
  ...SERVICE_SETTINGS.shape,
});

type Site = z.output<typeof SITE>;

/** User and password for one server. */
export interface Credentials {
  username: string;
  password: string;
  authSource?: string;
}

/** All settings, resolved. Lengths of time are in seconds unless the name says otherwise. */
export type Settings = Omit<Site, 'database'> & {
  database: Site['database'] & {
    /** From a file that only its owner may read; never shown. */
    credentials: { runs: Credentials | null; daq: Credentials | null };
  };
  rules: Rules;
};

/** What a setting is called in each place where it can be given. */
export interface Names {
  /** As in the file, e.g. `paths.live_data`. */
  path: string;
  /** Null for a table, and for what is hidden. */
  env: string | null;
  /** With dashes; null for a table, and for what is hidden. */
  flag: string | null;
}

/** One setting with its place and its names. */
export interface Entry extends Names {
  /** Keys in the nested object, e.g. `['paths', 'liveData']`. */
  keys: readonly string[];
  setting: Setting;
  schema: z.ZodType;
  /** Its names until the last release. */
  earlier: Names | null;
}

/** Every setting, in the order of the schema. */
export const ENTRIES: readonly Entry[] = [...entriesOf(SITE, []), ...entriesOf(RULES, ['rules'])];

function entriesOf(section: z.ZodObject, above: readonly string[]): Entry[] {
  return Object.entries<z.ZodType>(section.shape).flatMap(([key, node]) => {
    const keys = [...above, key];
    if (node instanceof z.ZodObject) return entriesOf(node, keys);
    const setting = describeSetting(node);
    if (setting === undefined) {
      throw new Error(`${keys.join('.')} is neither a setting nor a section`);
    }
    return [entryOf(keys, node, setting)];
  });
}

function entryOf(keys: readonly string[], schema: z.ZodType, setting: Setting): Entry {
  const path = keys
    .filter((key, depth) => depth > 0 || key !== 'rules')
    .map(snakeCase)
    .join('.');
  const { earlier = null } = setting;
  return {
    keys,
    ...namesOf(path, setting.name, setting),
    setting,
    schema,
    earlier: earlier === null ? null : namesOf(earlier, undefined, setting),
  };
}

function namesOf(path: string, name: string | undefined, { kind, hidden }: Setting): Names {
  const isFileOnly = kind === 'table' || hidden === true;
  const flagName = name ?? path.replace(/[._]/g, '-');
  return {
    path,
    env: isFileOnly ? null : `BOOTSTRAX_${flagName.toUpperCase().replaceAll('-', '_')}`,
    flag: isFileOnly ? null : `--${flagName}`,
  };
}
