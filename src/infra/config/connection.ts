import { withoutSecretOptions } from '../values/url-secrets.pure.ts';
import type { Credentials, Settings } from './entries.ts';

const AUTHORITY = /^(mongodb(?:\+srv)?:\/\/)([^/?#@]*)@/;

/** The password in a connection string, or null. */
export function passwordIn(url: string): string | null {
  const userInfo = AUTHORITY.exec(url)?.[2];
  return userInfo?.includes(':') ? userInfo.slice(userInfo.indexOf(':') + 1) : null;
}

/** The URL without user and password, and these apart. */
export function splitUrl(url: string): { url: string; credentials: Credentials | null } {
  const userInfo = AUTHORITY.exec(url)?.[2];
  const password = passwordIn(url);
  if (userInfo === undefined || password === null) return { url, credentials: null };
  return {
    url: url.replace(AUTHORITY, '$1'),
    credentials: {
      username: decodeURIComponent(userInfo.slice(0, userInfo.indexOf(':'))),
      password: decodeURIComponent(password),
    },
  };
}

/** For output: user name, password and secret options hidden. */
export function maskUrl(url: string): string {
  return withoutSecretOptions(url.replace(AUTHORITY, '$1***@'));
}

/** What the store needs to connect; null without a URL. */
export function connectionOf({ database }: Settings) {
  if (database.url === null) return null;
  return {
    runsUrl: database.url,
    daqUrl: database.daqUrl,
    runsDb: database.runsDb,
    daqDb: database.daqDb,
    runsCredentials: database.credentials.runs,
    daqCredentials: database.credentials.daq,
    manage: database.manage,
    callTimeoutSeconds: database.callTimeoutSeconds,
  };
}
