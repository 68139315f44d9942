import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { type ConfigurationError, describeError, type Sources } from './configuration-error.ts';
import { type CredentialsFile, parseCredentials, withCredentials } from './credentials.ts';
import type { Settings } from './entries.ts';
import { packageDirectory, stateHome } from './paths.ts';
import { resolveSettings } from './resolve.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Name of the systemd credential (`LoadCredential=bootstrax:/path`). */
const SYSTEMD_CREDENTIAL = 'bootstrax';

/** All that is wrong with the configuration, one line each; the command exits 2. */
export class ConfigurationFailure extends Error {
  override readonly name = 'ConfigurationFailure';
  readonly errors: readonly ConfigurationError[];

  constructor(errors: readonly ConfigurationError[]) {
    super(errors.map(describeError).join('\n'));
    this.errors = errors;
  }
}

export interface Loaded {
  settings: Settings;
  sources: Sources;
  /** The file that was read, if one was given. */
  file: string | null;
  /** The host's name is not what the resolver says; null if there is nothing to say. */
  hostWarning: string | null;
  /** One line for each setting that is given under its earlier name. */
  renamed: readonly string[];
}

/** The name of a host that no source names. */
export interface FoundHostName {
  name: string;
  warning: string | null;
}

export interface LoadOptions {
  env: Environment;
  /** By flag name with dashes. */
  flags: Readonly<Record<string, string | boolean>>;
  /** From `--config`; else `$BOOTSTRAX_CONFIG`; else there is no file. */
  file: string | null;
  /** Asked only if no source names the host: it may take seconds. */
  hostName: (stateDir: string) => Promise<FoundHostName>;
  /** For what needs no database: the credentials file may be absent then. */
  withoutCredentials?: boolean;
  /** For what only reads: with the account of a utilix file that may do no more, if it has one. */
  readOnlyAccount?: boolean;
}

/** Reads file, environment, flags and credentials. Throws a `ConfigurationFailure`. */
export async function loadSettings(options: LoadOptions): Promise<Loaded> {
  const { env, flags } = options;
  const name = options.file ?? (env['BOOTSTRAX_CONFIG'] || null);
  const file = name === null ? null : await readConfiguration(resolve(name));
  const resolveWith = (hostName: string) => {
    const resolution = resolveSettings({
      file,
      env,
      flags,
      facts: { hostName, packageDirectory: packageDirectory(), stateHome: stateHome(env) },
      workingDirectory: process.cwd(),
      home: homedir(),
    });
    if (resolution.kind === 'errors') throw new ConfigurationFailure(resolution.errors);
    return resolution;
  };
  let resolution = resolveWith('localhost');
  let hostWarning: string | null = null;
  if (resolution.sources['host.name']?.kind === 'default') {
    const found = await options.hostName(resolution.settings.paths.stateDir);
    hostWarning = found.warning;
    resolution = resolveWith(found.name);
  }
  const { settings, sources } = resolution;
  const credentials = options.withoutCredentials
    ? null
    : await readCredentials(
        settings.database.credentialsFile,
        env,
        options.readOnlyAccount ?? false,
      );
  const runsDbIsDefault = sources['database.runs_db']?.kind === 'default';
  return {
    settings: withCredentials(settings, credentials, runsDbIsDefault),
    sources,
    file: file?.path ?? null,
    hostWarning,
    renamed: resolution.renamed,
  };
}

async function readConfiguration(path: string) {
  try {
    const [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { path, text, privateToOwner: (mode & 0o077) === 0 };
  } catch (error) {
    throw new ConfigurationFailure([
      { setting: null, source: { kind: 'file', path }, line: null, problem: cannotRead(error) },
    ]);
  }
}

/**
 * From the file that is named, else from the systemd credential. The site's utilix file is read
 * only when it is asked for: a trial on an event builder must not find the production database.
 */
async function readCredentials(
  name: string | null,
  env: Environment,
  readOnly: boolean,
): Promise<CredentialsFile | null> {
  if (name !== null) {
    const path = name === 'utilix' ? env['XENON_CONFIG'] || join(homedir(), '.xenon_config') : name;
    return readPrivate(path, readOnly);
  }
  const directory = env['CREDENTIALS_DIRECTORY'];
  if (!directory) return null;
  try {
    // systemd keeps others out by the mode of the folder, not by that of the file.
    return parseCredentials(await readFile(join(directory, SYSTEMD_CREDENTIAL), 'utf8'), readOnly);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function readPrivate(path: string, readOnly: boolean): Promise<CredentialsFile> {
  const failure = (problem: string): ConfigurationFailure =>
    new ConfigurationFailure([
      {
        setting: 'database.credentials_file',
        source: { kind: 'file', path },
        line: null,
        problem,
      },
    ]);
  let text: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw failure(`others than its owner may read it: chmod 600 ${path}`);
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw error instanceof ConfigurationFailure ? error : failure(cannotRead(error));
  }
  const credentials = parseCredentials(text, readOnly);
  if (credentials.runs === null) {
    throw failure(
      'has neither username and password nor the section rundb_admin or RunDB of utilix',
    );
  }
  return credentials;
}

function cannotRead(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such file' : `cannot be read: ${message}`;
}
