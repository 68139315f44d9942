import { isIP } from 'node:net';
import { z } from 'zod';
import type { HostRole } from './host-role.pure.ts';

/** What hosts of certain names are, where they do not say it themselves. */
export interface HostRow {
  /** Shell-style, case-sensitive. */
  pattern: string;
  role?: HostRole;
  resourceTable?: string;
}

/** What a default may depend on. */
export interface Facts extends MachineFacts {
  /** The rows of `host.by_name` that fit this host. */
  hostRows: readonly HostRow[];
}

/** Found out by the caller, so that resolving stays pure. */
export interface MachineFacts {
  /** `host.name` if it is set, else what Python's `socket.getfqdn()` says on this machine. */
  hostName: string;
  /** Directory of the installed package (where `worker/` and `bin/` lie). */
  packageDirectory: string;
  /** Where state of this user belongs: `$XDG_STATE_HOME`, else `~/.local/state`. */
  stateHome: string;
}

/** How a setting is written as text in an environment variable or a flag; a table is not. */
export type SettingKind = 'text' | 'path' | 'command' | 'number' | 'boolean' | 'list' | 'table';

/** One row of the table of settings. */
export interface Setting<T = unknown> {
  kind: SettingKind;
  schema: z.ZodType<T>;
  defaultValue: (facts: Facts) => T;
  about: string;
  unit?: string;
  /** Shown masked, and refused as a flag when it carries a password. */
  secret?: boolean;
  /** All of it is a secret: only from a file that nobody else may read, and never shown. */
  hidden?: boolean;
  /** Name of flag and environment variable where it is not section and name joined. */
  name?: string;
  /** A table of rows whose names are ours, not the user's: shown in snake_case. */
  rows?: boolean;
}

interface Details {
  unit?: string;
  secret?: boolean;
  hidden?: boolean;
  name?: string;
  rows?: boolean;
}

/** A default is a value, or a function of the machine's facts. */
type Default<T> = T | ((facts: Facts) => T);

function setting<T>(
  kind: SettingKind,
  schema: z.ZodType<T>,
  value: Default<T>,
  about: string,
  details: Details,
): Setting<T> {
  const defaultValue =
    typeof value === 'function' ? (value as (facts: Facts) => T) : (): T => value;
  return { kind, schema, defaultValue, about, ...details };
}

/** A setting of text. */
export function text(value: Default<string>, about: string, details: Details = {}) {
  return setting('text', z.string().min(1), value, about, details);
}

/** Text that may be left out. */
export function optionalText(about: string, details: Details = {}) {
  return setting<string | null>('text', z.string().min(1).nullable(), null, about, details);
}

/** The address of a MongoDB server, which may be left out. */
export function optionalServer(about: string, details: Details = {}) {
  const schema = z
    .string()
    .regex(/^mongodb(\+srv)?:\/\/./, 'must begin with mongodb:// or mongodb+srv://')
    .nullable();
  return setting<string | null>('text', schema, null, about, details);
}

/** An address of the web, or of a server of another kind, which may be left out. */
export function optionalUrl(schemes: readonly string[], about: string, details: Details = {}) {
  const schema = z
    .string()
    .refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol), {
      message: `must be an address that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
    })
    .refine((value) => details.hidden === true || !/^[^/]*\/\/[^/]*@/.test(value), {
      message: 'must not carry a user or a password',
    })
    .nullable();
  return setting<string | null>('text', schema, null, about, details);
}

/** A file or folder: relative to the file that names it, or to the working directory. */
export function path(value: Default<string>, about: string, details: Details = {}) {
  return setting('path', z.string().min(1), value, about, details);
}

/** A file or folder that may be left out. */
export function optionalPath(about: string, details: Details = {}) {
  return setting<string | null>('path', z.string().min(1).nullable(), null, about, details);
}

/** Like a path, but a bare word stays as it is: a command to be found, or a word with a meaning. */
export function command<T extends string | null>(
  schema: z.ZodType<T>,
  value: Default<T>,
  about: string,
  details: Details = {},
) {
  return setting('command', schema, value, about, details);
}

/** One word of several. */
export function choice<const T extends string>(
  words: readonly [T, ...T[]],
  value: Default<T>,
  about: string,
  details: Details = {},
): Setting<T> {
  return setting<T>('text', z.enum(words), value, about, details);
}

/** A number within bounds. */
export function number(
  schema: z.ZodType<number>,
  value: Default<number>,
  about: string,
  details: Details = {},
) {
  return setting('number', schema, value, about, details);
}

/** Yes or no. */
export function boolean(value: Default<boolean>, about: string, details: Details = {}) {
  return setting('boolean', z.boolean(), value, about, details);
}

/** A list of words; separated by commas in the environment and in flags. */
export function list(value: Default<string[]>, about: string, details: Details = {}) {
  return setting('list', z.array(z.string().min(1)), value, about, details);
}

/** Addresses of machines or networks; separated by commas in the environment and in flags. */
export function addresses(about: string, details: Details = {}) {
  const schema = z
    .string()
    .refine(isAddress, 'must be an address such as 10.0.0.4, or a network such as 10.0.0.0/24');
  return setting<string[]>('list', z.array(schema), [], about, details);
}

function isAddress(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return (
    prefix === undefined ||
    (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32))
  );
}

/** Name of a header of HTTP, in small letters. */
export function headerName(value: string, about: string, details: Details = {}) {
  const schema = z.string().regex(/^[a-z0-9-]+$/, 'must be the name of a header in small letters');
  return setting('text', schema, value, about, details);
}

/** A table: only in the file. */
export function table<T>(
  schema: z.ZodType<T>,
  value: Default<T>,
  about: string,
  details: Details = {},
) {
  return setting('table', schema, value, about, details);
}

/** `liveData` -> `live_data`, `rateMBps` -> `rate_mbps`: as it is written in the file. */
export function snakeCase(camelCase: string): string {
  return camelCase.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
