import { z } from 'zod';

import type { HostRole } from '../host-role.pure.ts';

/** What hosts with certain names are, where they do not say it themselves. */
export interface HostRow {
  /** Shell-style, case-sensitive. */
  pattern: string;
  role?: HostRole;
  resourceTable?: string;
}

/** What the caller has found out about the machine, so that resolving stays pure. */
export interface MachineFacts {
  /** `host.name` if it is set, else what Python's `socket.getfqdn()` says on this machine. */
  hostName: string;
  /** Folder of the installed package, in which `worker/` and `bin/` lie. */
  packageDirectory: string;
  /** Where the state of this user belongs: `$XDG_STATE_HOME`, else `~/.local/state`. */
  stateHome: string;
}

/** What a default may depend on. */
export interface Facts extends MachineFacts {
  /** The rows of `host.by_name` that fit this host. */
  hostRows: readonly HostRow[];
}

/** How a setting is written in an environment variable or a flag. A table is written in the file only. */
export type SettingKind = 'text' | 'path' | 'command' | 'number' | 'boolean' | 'list' | 'table';

/** A default is a value, or a function of the machine's facts. */
type Default<T> = T | ((facts: Facts) => T);

/** What the schema says of a setting besides its type and its limits. */
export interface About<T> {
  default: Default<T>;
  /** One sentence in plain English. */
  description: string;
  unit?: string;
  /** Flag and variable are made from this; without it from the path of the setting. */
  name?: string;
  /** Path in the file until the last release. It is accepted for one release more. */
  earlier?: string;
  /** What fits, where type and limits do not say it. */
  expected?: string;
  /** A password in it is never shown, and refused where others could read it. */
  secret?: boolean;
  /** A table whose names are the user's, not ours. */
  isOpen?: boolean;
  /** All of it is a secret: it comes from a file that nobody else may read, and is never shown. */
  hidden?: boolean;
}

type Optional<T> = Omit<About<T | null>, 'default'>;

/** One leaf of the schema, as `describeSetting` returns it. */
export interface Setting extends About<unknown> {
  kind: SettingKind;
}

const SETTINGS = z.registry<Setting>();

/** The default of a setting on a machine. */
export function defaultIn({ default: value }: Setting, facts: Facts): unknown {
  return typeof value === 'function' ? (value as (facts: Facts) => unknown)(facts) : value;
}

/** What the schema says of a setting; undefined for a section. */
export function describeSetting(schema: z.core.$ZodType): Setting | undefined {
  return SETTINGS.get(schema);
}

function setting<T>(kind: SettingKind, schema: z.ZodType<T>, about: About<T>): z.ZodType<T> {
  // A schema with a description is a new one, so that two settings may share limits.
  return schema.describe(about.description).register(SETTINGS, { kind, ...about });
}

const nonEmpty = z.string().min(1);

/** A setting of text. */
export function text(about: About<string>) {
  return setting('text', nonEmpty, about);
}

/** Text that may be left out. */
export function optionalText(about: Optional<string>) {
  return setting<string | null>('text', nonEmpty.nullable(), { default: null, ...about });
}

/** Text of a certain form, which `expected` says. */
export function formedText(form: RegExp, about: About<string> & { expected: string }) {
  return setting('text', z.string().regex(form), about);
}

/** The address of a MongoDB server, which may be left out. */
export function optionalServer(about: Optional<string>) {
  return setting<string | null>(
    'text',
    z
      .string()
      .regex(/^mongodb(\+srv)?:\/\/./)
      .nullable(),
    {
      default: null,
      expected: 'a URL that begins with mongodb:// or mongodb+srv://',
      ...about,
    },
  );
}

/** An address of the web, or of a server of another kind, which may be left out. */
export function optionalUrl(schemes: readonly string[], about: Optional<string>) {
  const isUrl = (value: string): boolean =>
    URL.canParse(value) && schemes.includes(new URL(value).protocol);
  const isFree = (value: string): boolean =>
    about.hidden === true || !/^[^/]*\/\/[^/]*@/.test(value);
  const begins = schemes.map((scheme) => `${scheme}//`).join(' or ');
  const rest = about.hidden === true ? '' : ', without a user or a password';
  return setting<string | null>('text', z.string().refine(isUrl).refine(isFree).nullable(), {
    default: null,
    expected: `a URL that begins with ${begins}${rest}`,
    ...about,
  });
}

/** A file or folder. A relative one starts at the file that names it, or at the working directory. */
export function path(about: About<string>) {
  return setting('path', nonEmpty, about);
}

/** A file or folder that may be left out. */
export function optionalPath(about: Optional<string>) {
  return setting<string | null>('path', nonEmpty.nullable(), { default: null, ...about });
}

/** Like a path, but a bare word stays as it is: a program to be found, or a word with a meaning. */
export function command(about: About<string>) {
  return setting('command', nonEmpty, about);
}

/** A command that may be left out. */
export function optionalCommand(about: Optional<string>, form = /./) {
  const schema = z.string().regex(form).nullable();
  return setting<string | null>('command', schema, { default: null, ...about });
}

/** One word of several. */
export function choice<const T extends string>(words: readonly [T, ...T[]], about: About<T>) {
  return setting<T>('text', z.enum(words), about);
}

/** A number within the limits of its schema. */
export function number(limits: z.ZodType<number>, about: About<number>) {
  return setting('number', limits, about);
}

/** Yes or no. */
export function boolean(about: About<boolean>) {
  return setting('boolean', z.boolean(), about);
}

/** A list of words. They are separated by commas in variables and flags. */
export function list(about: About<string[]>) {
  return setting('list', z.array(nonEmpty), about);
}

/** A list of words of which each is one of several. */
export function choices<const T extends string>(words: readonly [T, ...T[]], about: About<T[]>) {
  return setting<T[]>('list', z.array(z.enum(words)), {
    expected: `a list of ${words.join(', ')}`,
    ...about,
  });
}

/** Addresses of machines or networks. They are separated by commas in variables and flags. */
export function addresses(about: Omit<About<string[]>, 'default'>) {
  const address = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);
  return setting<string[]>('list', z.array(address), {
    default: [],
    expected: 'addresses such as 10.0.0.4 or 10.0.0.0/24',
    ...about,
  });
}

/** A table, which is written in the file only. */
export function table<T>(schema: z.ZodType<T>, about: About<T>) {
  return setting('table', schema, about);
}

/**
 * A row of a table. Its fields are named as in the code; in the file they have the same names in
 * snake_case, and others are refused.
 */
export function row<S extends z.ZodRawShape>(fields: S): z.ZodType<z.output<z.ZodObject<S>>> {
  const names = new Map(Object.keys(fields).map((name) => [snakeCase(name), name]));
  const written = Object.entries(fields).map(([name, field]) => [snakeCase(name), field]);
  const shape = Object.fromEntries(written) as z.ZodRawShape;
  return z
    .strictObject(shape)
    .transform(
      (given) =>
        Object.fromEntries(
          Object.entries(given).map(([name, value]) => [names.get(name), value]),
        ) as z.output<z.ZodObject<S>>,
    );
}

/** `liveData` -> `live_data`, `rateMBps` -> `rate_mbps`: as it is written in the file. */
export function snakeCase(camelCase: string): string {
  return camelCase.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
