import { passwordIn, splitUrl } from './connection.ts';
import type { Credentials, Settings } from './entries.ts';

/** What a credentials file says; absent parts are null. */
export interface CredentialsFile {
  runsUrl: string | null;
  daqUrl: string | null;
  runsDb: string | null;
  runs: Credentials | null;
  daq: Credentials | null;
}

/**
 * Reads a credentials file: either ours (`username`, `password`, `auth_source`, and the same with
 * `daq_` in front) or a site's utilix file (sections `rundb_admin`, else the read-only `RunDB`, which
 * goes first for `readOnly`).
 */
export function parseCredentials(text: string, readOnly = false): CredentialsFile {
  const keys = parseIni(text);
  const get = (name: string): string | null => keys.get(name) ?? null;
  const account = (username: string, password: string, authSource?: string): Credentials | null => {
    const user = get(username);
    const secret = get(password);
    if (user === null || secret === null) return null;
    const source = authSource === undefined ? null : get(authSource);
    return { username: user, password: secret, ...(source === null ? {} : { authSource: source }) };
  };
  const own = account('username', 'password', 'auth_source');
  if (own !== null) {
    return {
      runsUrl: null,
      daqUrl: null,
      runsDb: null,
      runs: own,
      daq: account('daq_username', 'daq_password', 'daq_auth_source') ?? own,
    };
  }
  const reader = account('rundb.pymongo_user', 'rundb.pymongo_password');
  const admin =
    readOnly && reader !== null
      ? null
      : account('rundb_admin.mongo_rdb_username', 'rundb_admin.mongo_rdb_password');
  return {
    runsUrl: asUrl(get(admin ? 'rundb_admin.mongo_rdb_url' : 'rundb.pymongo_url')),
    daqUrl: asUrl(get('rundb_admin.mongo_daq_url')),
    runsDb: get(admin ? 'rundb_admin.mongo_rdb_database' : 'rundb.pymongo_database'),
    runs: admin ?? reader,
    daq: account('rundb_admin.mongo_daq_username', 'rundb_admin.mongo_daq_password'),
  };
}

/**
 * Puts credentials into the settings; URLs and the name of the runs database only where nothing
 * else gave them. Passwords inside URLs of the configuration file are moved there as well.
 */
export function withCredentials(
  settings: Settings,
  file: CredentialsFile | null,
  runsDbIsDefault: boolean,
): Settings {
  const { database } = settings;
  const runs = apart(database.url);
  const daq = apart(database.daqUrl);
  const given = file ?? NO_FILE;
  const ofRuns = runs.credentials ?? given.runs;
  return {
    ...settings,
    database: {
      ...database,
      url: runs.url ?? given.runsUrl,
      // A file's DAQ server goes with the file's runs server, not with one named elsewhere.
      daqUrl: daq.url ?? (database.url === null ? given.daqUrl : null),
      runsDb: runsDbIsDefault && given.runsDb ? given.runsDb : database.runsDb,
      credentials: {
        runs: ofRuns,
        daq: daq.credentials ?? given.daq ?? ofRuns,
      },
    },
  };
}

const NO_FILE: CredentialsFile = {
  runsUrl: null,
  daqUrl: null,
  runsDb: null,
  runs: null,
  daq: null,
};

function apart(url: string | null): { url: string | null; credentials: Credentials | null } {
  return url === null ? { url: null, credentials: null } : splitUrl(url);
}

/** utilix names servers without a scheme, several separated by commas. */
function asUrl(servers: string | null): string | null {
  if (servers === null) return null;
  const url = /^mongodb(\+srv)?:\/\//.test(servers) ? servers : `mongodb://${servers}`;
  return passwordIn(url) === null ? url : splitUrl(url).url;
}

/** `key = value` lines below `[section]` lines; keys are lower-cased and carry their section. */
function parseIni(text: string): Map<string, string> {
  const keys = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const header = /^\[(.+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = `${header.trim().toLowerCase()}.`;
      continue;
    }
    const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line);
    if (pair?.[1] === undefined || pair[2] === undefined) continue;
    const value = /^(["'])(.*)\1$/.exec(pair[2])?.[2] ?? pair[2];
    if (value !== '') keys.set(section + pair[1].toLowerCase(), value);
  }
  return keys;
}
