import { isIP } from 'node:net';

import type { Settings } from '../../infra/config/entries.ts';
import { addressList } from './address-list.ts';
import type { Role } from './session-api.ts';

/** Everybody the proxy lets through. */
const EVERYBODY = '*';
/** As a laboratory's single sign-on writes names and groups; no comma: two values in one header. */
const NAME = /^[^\p{Cc},;]{1,200}$/u;

type Header = (name: string) => string | undefined;

/** Who it is, by the word of a trusted proxy; role null: known, but with nothing to do here. */
export interface Vouched {
  name: string;
  role: Role | null;
}

/** The proxy in front of the dashboard, if there is one. */
export class TrustedProxy {
  /** Whether what this peer says of others is believed. */
  readonly isTrusted: (peer: string) => boolean;
  readonly #settings: Settings['dashboard']['proxy'];

  constructor(settings: Settings['dashboard']['proxy']) {
    this.#settings = settings;
    this.isTrusted = addressList(settings.addresses);
  }

  get exists(): boolean {
    return this.#settings.addresses.length > 0;
  }

  /** Null if it names nobody, or not exactly one. */
  vouchedBy(header: Header): Vouched | null {
    const { userHeader, groupsHeader } = this.#settings;
    const name = header(userHeader)?.trim() ?? '';
    if (!NAME.test(name)) return null;
    const groups = (header(groupsHeader) ?? '').split(/[,;]/).map((group) => group.trim());
    return { name, role: this.#roleOf(name, groups) };
  }

  /** Of the one who asked the proxy: the last address is the one that the proxy itself has seen. */
  clientOf(header: Header): string | null {
    const last = header('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
    return isIP(last) === 0 ? null : last;
  }

  #roleOf(name: string, groups: readonly string[]): Role | null {
    const { operators, operatorGroups, viewers, viewerGroups } = this.#settings;
    const isIn = (names: readonly string[], inGroups: readonly string[]) =>
      names.includes(EVERYBODY) ||
      names.includes(name) ||
      inGroups.some((group) => group !== '' && groups.includes(group));
    if (isIn(operators, operatorGroups)) return 'operator';
    return isIn(viewers, viewerGroups) ? 'viewer' : null;
  }
}
