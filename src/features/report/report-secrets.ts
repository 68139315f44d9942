import type { Settings } from '../../infra/config/entries.ts';
import { withoutSecretOptions } from '../../infra/values/url-secrets.pure.ts';

const REMOVED = '***';
/** Values under such names are secrets, whatever they look like. */
const SECRET_NAME = /passw|secret|token|api_?key|credential(?!s_?file)|private_?key/i;
/** User and password in any URL. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]*@/gi;

/** Removes secrets from anything that becomes JSON. */
export class Secrets {
  /** Every spelling of a known password, longest first. */
  readonly #known: readonly string[];

  /** @param env - environment of this process: variables with secret names are known secrets. */
  constructor({ database, alarms }: Settings, env: Readonly<Record<string, string | undefined>>) {
    const { runs, daq } = database.credentials;
    const ofEnvironment = Object.entries(env)
      .filter(([name]) => SECRET_NAME.test(name))
      // A word as short as this is part of others: removing it would only garble the text.
      .flatMap(([, value]) => (value !== undefined && value.length >= 6 ? [value] : []));
    const ofAlarms = [alarms.webhook, alarms.deadMan, alarms.mailPassword];
    const passwords = [runs?.password, daq?.password, ...ofAlarms, ...ofEnvironment].filter(
      (word): word is string => typeof word === 'string' && word !== '',
    );
    this.#known = [...new Set(passwords.flatMap(waysToWrite))].sort((a, b) => b.length - a.length);
  }

  /** The same value without secrets, as plain JSON. */
  remove(value: unknown): unknown {
    return this.#clean(JSON.parse(JSON.stringify(value)), '');
  }

  #clean(value: unknown, name: string): unknown {
    const isSecret = SECRET_NAME.test(name) && value !== '';
    if (isSecret && (typeof value === 'string' || typeof value === 'number')) return REMOVED;
    if (typeof value === 'string') return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.#clean(item, name));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.#text(key), this.#clean(item, key)]),
    );
  }

  #text(text: string): string {
    let cleaned = text;
    for (const secret of this.#known) cleaned = cleaned.replaceAll(secret, REMOVED);
    return withoutSecretOptions(cleaned.replace(USER_INFO, `$1${REMOVED}@`));
  }
}

/** Spellings of a secret: plain, in a URL, in JSON, in JSON within JSON, in Base64, in Python's notation. */
function waysToWrite(password: string): string[] {
  const inUrl = encodeURIComponent(password);
  const inFullUrl = [...Buffer.from(password)].map((byte) => `%${hex(byte)}`).join('');
  const written = [
    password,
    inUrl,
    inUrl.toLowerCase(),
    inUrl.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    encodeURI(password),
    encodeURIComponent(inUrl),
    inFullUrl,
    Buffer.from(password).toString('base64'),
    password.replaceAll('\\', '\\\\').replaceAll("'", "\\'"),
  ];
  return written.flatMap((form) => {
    const once = JSON.stringify(form).slice(1, -1);
    return [form, once, JSON.stringify(once).slice(1, -1)];
  });
}

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');
