import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { defaultRules } from './rules.pure.ts';
import { matches } from './type-names.pure.ts';
import { passwordIn } from './connection.ts';
import { ENTRIES, type Entry, type Settings } from './entries.ts';
import { stagingDirectory } from './paths.ts';
import { isWithin } from '../values/within.pure.ts';
import { snakeCase, type Facts, type HostRow, type MachineFacts } from './setting.ts';
import { closest } from './suggest.pure.ts';

/** Where a value came from. */
export type Source =
  | { kind: 'default' }
  | { kind: 'file'; path: string }
  | { kind: 'environment'; name: string }
  | { kind: 'flag'; name: string };

/** By the setting's path in the file, e.g. `paths.live_data`. */
export type Sources = Readonly<Record<string, Source>>;

export interface ConfigurationError {
  /** Path of the setting, or of the unknown key; null if the file as a whole cannot be read. */
  setting: string | null;
  source: Source;
  problem: string;
}

export interface Inputs {
  file: {
    path: string;
    text: string;
    /** May others than its owner read it? */
    privateToOwner: boolean;
  } | null;
  env: Readonly<Record<string, string | undefined>>;
  /** By flag name with dashes, e.g. `--live-data`; booleans for `--warm-up` and `--no-warm-up`. */
  flags: Readonly<Record<string, string | boolean>>;
  facts: MachineFacts;
  /** Absolute; relative paths in flags and environment start here. */
  workingDirectory: string;
  home: string;
}

export type Resolution =
  | { kind: 'settings'; settings: Settings; sources: Sources }
  | { kind: 'errors'; errors: readonly ConfigurationError[] };

interface Given {
  value: unknown;
  source: Source;
}

/**
 * The effective settings: flag before environment before file before default. All that is wrong is
 * reported at once. Relative paths in the file start at the file's folder.
 */
export function resolveSettings(inputs: Inputs): Resolution {
  const errors: ConfigurationError[] = [];
  const fromFile = readFile(inputs, errors);
  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  let facts: Facts = { ...inputs.facts, hostRows: [] };
  for (const entry of ENTRIES) {
    const given = lookUp(entry, inputs, fromFile, errors);
    const checked = given && check(entry, given, inputs, errors);
    const value = checked ? checked.value : entry.setting.defaultValue(facts);
    put(values, entry.keys, value);
    sources[entry.path] = checked ? checked.source : { kind: 'default' };
    facts = withKnown(facts, entry.path, value);
  }
  const settings = assemble(values);
  if (errors.length === 0) errors.push(...contradictions(settings, sources));
  return errors.length > 0 ? { kind: 'errors', errors } : { kind: 'settings', settings, sources };
}

/** The host's role and resources follow its name unless they are given. */
function withKnown(facts: Facts, path: string, value: unknown): Facts {
  if (path === 'host.name') return { ...facts, hostName: value as string };
  if (path !== 'host.by_name') return facts;
  const rows = value as readonly HostRow[];
  return { ...facts, hostRows: rows.filter(({ pattern }) => matches(facts.hostName, pattern)) };
}

/** One line for a person: which setting, from where, what is wrong. */
export function describeError(error: ConfigurationError): string {
  const from = describeSource(error.source);
  return error.setting === null
    ? `${from}: ${error.problem}`
    : `${error.setting} (${from}): ${error.problem}`;
}

/** `default`, or the file, variable or flag by name. */
export function describeSource(source: Source): string {
  switch (source.kind) {
    case 'default':
      return 'default';
    case 'file':
      return source.path;
    case 'environment':
    case 'flag':
      return source.name;
  }
}

function lookUp(
  entry: Entry,
  { env, flags }: Inputs,
  fromFile: ReadonlyMap<string, Given>,
  errors: ConfigurationError[],
): Given | null {
  const flag = entry.flag === null ? undefined : flags[entry.flag];
  if (entry.flag !== null && flag !== undefined) {
    return parseText(entry, flag, { kind: 'flag', name: entry.flag }, errors);
  }
  const variable = entry.env === null ? undefined : env[entry.env];
  // An empty variable is what a service file leaves behind for "not set".
  if (entry.env !== null && variable !== undefined && variable !== '') {
    return parseText(entry, variable, { kind: 'environment', name: entry.env }, errors);
  }
  return fromFile.get(entry.path) ?? null;
}

function parseText(
  { setting, path }: Entry,
  given: string | boolean,
  source: Source,
  errors: ConfigurationError[],
): Given | null {
  if (typeof given === 'boolean') return { value: given, source };
  switch (setting.kind) {
    case 'number': {
      const value = given.trim() === '' ? NaN : Number(given);
      if (!Number.isNaN(value)) return { value, source };
      errors.push({ setting: path, source, problem: `"${given}" is not a number` });
      return null;
    }
    case 'boolean': {
      const value = { true: true, yes: true, '1': true, false: false, no: false, '0': false }[
        given.toLowerCase()
      ];
      if (value !== undefined) return { value, source };
      errors.push({ setting: path, source, problem: `"${given}" is neither true nor false` });
      return null;
    }
    case 'list': {
      const value = given
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== '');
      return { value, source };
    }
    case 'text':
    case 'path':
    case 'command':
    case 'table':
      return { value: given, source };
  }
}

function check(
  entry: Entry,
  given: Given,
  inputs: Inputs,
  errors: ConfigurationError[],
): Given | null {
  const { setting, path } = entry;
  const wrong = (problem: string): null => {
    errors.push({ setting: path, source: given.source, problem });
    return null;
  };
  const parsed = setting.schema.safeParse(given.value);
  if (!parsed.success) return wrong(parsed.error.issues.map(describeIssue).join('; '));
  let value = parsed.data;
  if (typeof value === 'string' && (setting.kind === 'path' || setting.kind === 'command')) {
    value = absolute(value, setting.kind, given.source, inputs);
  }
  if (setting.hidden && given.source.kind === 'file' && !inputs.file?.privateToOwner) {
    return wrong(`is a secret, but others may read the file: chmod 600 ${given.source.path}`);
  }
  if (setting.secret && typeof value === 'string' && passwordIn(value) !== null) {
    if (given.source.kind !== 'file') {
      return wrong(
        'the URL carries a password, which others could read; put it into a file with mode 0600 and name that with --credentials-file',
      );
    }
    if (!inputs.file?.privateToOwner) {
      return wrong(
        `the URL carries a password, but others may read the file: chmod 600 ${given.source.path}`,
      );
    }
  }
  return { value, source: given.source };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const place = issue.path.map(String).join('.');
  return place === '' ? issue.message : `at ${place}: ${issue.message}`;
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

/** The values in the file by setting; what is not a setting becomes an error with a suggestion. */
function readFile({ file }: Inputs, errors: ConfigurationError[]): Map<string, Given> {
  const found = new Map<string, Given>();
  if (file === null) return found;
  const source: Source = { kind: 'file', path: file.path };
  let content: Record<string, unknown>;
  try {
    content = parse(file.text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const problem = `line ${error.line}: ${error.message.split('\n')[0] ?? 'not TOML'}`;
    errors.push({ setting: null, source, problem });
    return found;
  }
  const settingPaths = new Map(ENTRIES.map((entry) => [entry.path, entry]));
  const sections = new Set(
    ENTRIES.flatMap(({ keys }) =>
      keys.slice(0, -1).map((_, depth) =>
        keys
          .slice(0, depth + 1)
          .map(snakeCase)
          .join('.'),
      ),
    ),
  );
  const walk = (node: Record<string, unknown>, above: string): void => {
    for (const [key, value] of Object.entries(node)) {
      const path = above === '' ? key : `${above}.${key}`;
      if (settingPaths.has(path)) {
        found.set(path, { value, source });
      } else if (!sections.has(path)) {
        const known = [...settingPaths.keys(), ...sections];
        const meant = closest(path, known) ?? sameName(key, [...settingPaths.keys()]);
        const problem = `there is no such setting${meant === null ? '' : `; did you mean ${meant}?`}`;
        errors.push({ setting: path, source, problem });
      } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        walk(value as Record<string, unknown>, path);
      } else {
        errors.push({ setting: path, source, problem: 'is a section and takes no value' });
      }
    }
  };
  walk(content, '');
  return found;
}

/** A setting of the same name in another section. */
function sameName(key: string, paths: readonly string[]): string | null {
  return paths.find((path) => path.endsWith(`.${key}`)) ?? null;
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

function assemble(values: Record<string, unknown>): Settings {
  const {
    database,
    host,
    paths,
    worker,
    simulator,
    checks,
    deletion,
    dashboard,
    alarms,
    ...rules
  } = values as unknown as Settings & Settings['rules'];
  return {
    database: { ...database, credentials: { runs: null, daq: null } },
    host,
    paths,
    worker,
    simulator,
    checks,
    deletion,
    dashboard,
    alarms,
    // The names of tags are not a site's choice.
    rules: { ...rules, claim: { ...defaultRules.claim, ...rules.claim } },
  };
}

function contradictions(
  { host, paths, alarms, dashboard, rules }: Settings,
  sources: Sources,
): ConfigurationError[] {
  const errors: ConfigurationError[] = [];
  const wrong = (setting: string, problem: string): void => {
    errors.push({ setting, source: sources[setting] ?? { kind: 'default' }, problem });
  };
  if (!Object.hasOwn(rules.resources.tables, host.resourceTable)) {
    const names = Object.keys(rules.resources.tables).join(', ');
    wrong(
      'host.resource_table',
      `resources.tables has no table "${host.resourceTable}", only ${names}`,
    );
  }
  const staging = stagingDirectory(paths);
  if (isWithin(staging, paths.output)) {
    wrong(
      'paths.staging',
      `${staging} lies in paths.output, ${paths.output}, where other programs take each name for that of a run: choose a folder beside it`,
    );
  }
  const ranges = {
    'resources.clips.cores': rules.resources.clips.cores,
    'resources.clips.max_messages': rules.resources.clips.maxMessages,
    'resources.clips.timeout_seconds': rules.resources.clips.timeoutSeconds,
    'retry.jitter': rules.retry.jitter,
  };
  for (const [path, { min, max }] of Object.entries(ranges)) {
    if (min > max) wrong(`${path}.min`, `${min} is above ${path}.max, ${max}`);
  }
  if (alarms.mailTo.length > 0 && (alarms.mailServer === null || alarms.mailFrom === null)) {
    wrong('alarms.mail_to', 'mail needs alarms.mail_server and alarms.mail_from as well');
  }
  if ((alarms.mailUser === null) !== (alarms.mailPassword === null)) {
    wrong('alarms.mail_user', 'goes only together with alarms.mail_password');
  }
  const { addresses, operators, operatorGroups, viewers, viewerGroups } = dashboard.proxy;
  if (addresses.length > 0 && ![operators, operatorGroups, viewers, viewerGroups].flat().length) {
    wrong(
      'dashboard.proxy.addresses',
      'goes only together with operators, operator_groups, viewers or viewer_groups: so nobody could do anything',
    );
  }
  if (rules.targets.default.length === 0) wrong('targets.default', 'names no data type');
  if (rules.limits.renewSeconds >= rules.limits.busyLeaseSeconds) {
    wrong('limits.renew_seconds', 'must be shorter than limits.busy_lease_seconds');
  }
  if (rules.limits.renewSeconds >= rules.limits.consideringLeaseSeconds) {
    wrong('limits.renew_seconds', 'must be shorter than limits.considering_lease_seconds');
  }
  return errors;
}
