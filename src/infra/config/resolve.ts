import { dirname, isAbsolute, join, resolve } from 'node:path';

import type { ConfigurationError, Source, Sources } from './configuration-error.ts';
import { passwordIn } from './connection.ts';
import { contradictions } from './contradictions.ts';
import { ENTRIES, type Entry, type Names, type Settings } from './entries.ts';
import { expectedOf, problemsOf, unfit } from './expectation.pure.ts';
import { defaultIn, type Facts, type HostRow, type MachineFacts } from './schema/setting.pure.ts';
import { type ConfigurationFile, lineOf, readToml } from './toml-file.ts';
import { matches } from './type-names.pure.ts';

export interface Inputs {
  file: ConfigurationFile | null;
  env: Readonly<Record<string, string | undefined>>;
  /** By flag name with dashes, e.g. `--live-data`; booleans for `--warm-up` and `--no-warm-up`. */
  flags: Readonly<Record<string, string | boolean>>;
  facts: MachineFacts;
  /** Absolute; relative paths in flags and environment start here. */
  workingDirectory: string;
  home: string;
}

export interface Resolved {
  kind: 'settings';
  settings: Settings;
  sources: Sources;
  /** One line for each setting that is given under its earlier name. */
  renamed: readonly string[];
}

export type Resolution = Resolved | { kind: 'errors'; errors: readonly ConfigurationError[] };

interface Given {
  value: unknown;
  source: Source;
  /** Its name where it is given: the path in the file, the variable or the flag. */
  name: string;
  /** That name today; null if it is given by that. */
  newName: string | null;
}

interface Reading extends Inputs {
  fromFile: ReadonlyMap<string, unknown>;
  errors: ConfigurationError[];
}

/**
 * The effective settings: flag before environment before file before default. All that is wrong is
 * reported at once. Relative paths in the file start at the file's folder.
 */
export function resolveSettings(inputs: Inputs): Resolution {
  const errors: ConfigurationError[] = [];
  const fromFile =
    inputs.file === null ? new Map<string, unknown>() : readToml(inputs.file, errors);
  const reading: Reading = { ...inputs, fromFile, errors };
  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  const renamed: string[] = [];
  let facts: Facts = { ...inputs.facts, hostRows: [] };
  for (const entry of ENTRIES) {
    const [given, ...others] = givenFor(entry, reading);
    const read = given === undefined ? null : readValue(entry, given, reading);
    const value = read === null ? defaultIn(entry.setting, facts) : read.value;
    put(values, entry.keys, value);
    sources[entry.path] = given === undefined || read === null ? { kind: 'default' } : given.source;
    facts = withKnown(facts, entry.path, value);
    for (const each of given === undefined ? [] : [given, ...others]) {
      if (each.newName !== null) renamed.push(renamedInWords(each, each.newName, inputs));
    }
  }
  (values['database'] as Record<string, unknown>)['credentials'] = { runs: null, daq: null };
  const settings = values as unknown as Settings;
  if (errors.length === 0) {
    for (const { setting, problem } of contradictions(settings)) {
      const source = sources[setting] ?? { kind: 'default' };
      errors.push({ setting, source, line: lineIn(source, setting.split('.'), inputs), problem });
    }
  }
  return errors.length > 0
    ? { kind: 'errors', errors }
    : { kind: 'settings', settings, sources, renamed };
}

/** The host's role and resources follow its name unless they are given. */
function withKnown(facts: Facts, path: string, value: unknown): Facts {
  if (path === 'host.name') return { ...facts, hostName: value as string };
  if (path !== 'host.by_name') return facts;
  const rows = value as readonly HostRow[];
  return { ...facts, hostRows: rows.filter(({ pattern }) => matches(facts.hostName, pattern)) };
}

interface Place {
  nameOf: (names: Names) => string | null;
  valueOf: (name: string, reading: Reading) => unknown;
  sourceOf: (name: string, reading: Reading) => Source;
}

/** Where settings are given; what stands before counts before what stands after. */
const PLACES: readonly Place[] = [
  {
    nameOf: ({ flag }) => flag,
    valueOf: (name, { flags }) => flags[name],
    sourceOf: (name) => ({ kind: 'flag', name }),
  },
  {
    nameOf: ({ env }) => env,
    // An empty variable is what a service file leaves behind for "not set".
    valueOf: (name, { env }) => env[name] || undefined,
    sourceOf: (name) => ({ kind: 'environment', name }),
  },
  {
    nameOf: ({ path }) => path,
    valueOf: (name, { fromFile }) => fromFile.get(name),
    sourceOf: (_, { file }) => ({ kind: 'file', path: file?.path ?? '' }),
  },
];

/** Everything that is given for a setting; the first counts. */
function givenFor(entry: Entry, reading: Reading): Given[] {
  const names: Names[] = entry.earlier === null ? [entry] : [entry, entry.earlier];
  return PLACES.flatMap(({ nameOf, valueOf, sourceOf }) =>
    names.flatMap((each) => {
      const name = nameOf(each);
      const value = name === null ? undefined : valueOf(name, reading);
      if (name === null || value === undefined) return [];
      const newName = each === entry ? null : nameOf(entry);
      return [{ value, name, source: sourceOf(name, reading), newName }];
    }),
  );
}

function renamedInWords({ name, source }: Given, newName: string, inputs: Inputs): string {
  const line = lineIn(source, name.split('.'), inputs);
  const where = source.kind === 'file' ? `${source.path} line ${line}: ` : '';
  return `${where}${name} is now called ${newName}; the next release does not know the earlier name`;
}

function lineIn(source: Source, keys: readonly string[], { file }: Inputs): number | null {
  return source.kind === 'file' && file !== null ? lineOf(file.text, keys) : null;
}

/** The value as the program uses it; null if something is wrong with it. */
function readValue(entry: Entry, given: Given, reading: Reading): { value: unknown } | null {
  const { setting, schema } = entry;
  const wrong = (problem: string, at: readonly string[] = []): null => {
    const line = lineIn(given.source, [...given.name.split('.'), ...at], reading);
    reading.errors.push({ setting: entry.path, source: given.source, line, problem });
    return null;
  };
  const value = given.source.kind === 'file' ? given.value : parseText(entry, given.value);
  if (value === undefined) return wrong(unfit(setting, given.value, expectedOf(setting, schema)));
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    for (const { text, at } of problemsOf(setting, schema, value, parsed.error.issues)) {
      wrong(text, at);
    }
    return null;
  }
  const exposed = exposedSecret(entry, parsed.data, given.source, reading);
  if (exposed !== null) return wrong(exposed);
  if (typeof parsed.data === 'string' && (setting.kind === 'path' || setting.kind === 'command')) {
    return { value: absolute(parsed.data, setting.kind, given.source, reading) };
  }
  return { value: parsed.data };
}

/** What a flag or variable means; undefined if it means nothing. */
function parseText({ setting }: Entry, given: unknown): unknown {
  if (typeof given !== 'string') return given;
  switch (setting.kind) {
    case 'number': {
      const value = given.trim() === '' ? NaN : Number(given);
      return Number.isNaN(value) ? undefined : value;
    }
    case 'boolean':
      return { true: true, yes: true, '1': true, false: false, no: false, '0': false }[
        given.toLowerCase()
      ];
    case 'list':
      return given
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== '');
    case 'text':
    case 'path':
    case 'command':
    case 'table':
      return given;
  }
}

/** Who else could read a secret, in words with what to do; null if nobody could. */
function exposedSecret(
  { setting }: Entry,
  value: unknown,
  source: Source,
  { file }: Inputs,
): string | null {
  const isOpen = source.kind === 'file' && file?.privateToOwner !== true;
  if (setting.hidden && isOpen) {
    return `is a secret, but others may read the file: chmod 600 ${source.path}`;
  }
  if (!setting.secret || typeof value !== 'string' || passwordIn(value) === null) return null;
  if (source.kind !== 'file') {
    return 'the URL carries a password, which others could read: put it into a file with mode 0600 and name that with --credentials-file';
  }
  return isOpen
    ? `the URL carries a password, but others may read the file: chmod 600 ${source.path}`
    : null;
}

function absolute(
  value: string,
  kind: 'path' | 'command',
  source: Source,
  { home, workingDirectory }: Inputs,
): string {
  if (value === '~' || value.startsWith('~/')) return join(home, value.slice(1));
  if (isAbsolute(value) || (kind === 'command' && !value.includes('/'))) return value;
  const base = source.kind === 'file' ? dirname(source.path) : '.';
  return resolve(workingDirectory, base, value);
}

function put(tree: Record<string, unknown>, keys: readonly string[], value: unknown): void {
  const [first, ...rest] = keys;
  if (first === undefined) return;
  if (rest.length === 0) {
    tree[first] = value;
    return;
  }
  tree[first] ??= {};
  put(tree[first] as Record<string, unknown>, rest, value);
}
