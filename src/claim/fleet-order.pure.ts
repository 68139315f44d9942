import type { HostRole } from '../infra/config/host-role.pure.ts';

/** A host of the fleet, from its newest document. */
export interface FleetHost {
  host: string;
  role: HostRole;
  /** It takes runs, has a free slot, and its worker is warm. */
  free: boolean;
  /** Slurm takes jobs of it. */
  hasCluster: boolean;
  /** It has seen to what all hosts share lately. */
  keepsOrder: boolean;
}

const ROLES: readonly HostRole[] = ['primary', 'backup', 'never'];

/**
 * How many free hosts are to claim before this one. All hosts that know the same of each other agree
 * without talking. Primary hosts come first; within a role each `key` has an order of its own.
 */
export function claimRank(
  key: string,
  self: { host: string; role: HostRole },
  hosts: readonly FleetHost[],
): number {
  const own = hash(`${key} ${self.host}`);
  return hosts.filter(({ host, role, free }) => {
    if (host === self.host || !free) return false;
    const order = ROLES.indexOf(role) - ROLES.indexOf(self.role);
    if (order !== 0) return order < 0;
    const other = hash(`${key} ${host}`);
    return other < own || (other === own && host < self.host);
  }).length;
}

/**
 * How many hosts are to do the duty before this one: the host with 0 does it. A host that falls silent
 * or is late with the duty is left out, and the next one takes over.
 */
export function dutyRank(self: string, hosts: readonly FleetHost[]): number {
  return hosts.filter(({ host, keepsOrder }) => keepsOrder && host < self).length;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  // Without this, names that differ only in their last letter would have neighbouring values.
  value = Math.imul(value ^ (value >>> 15), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}

/**
 * The order in which a host tries its candidates, best first. It skips as many candidates as free hosts
 * come before it, and after a lost race it goes on elsewhere. `rank`: see `claimRank`.
 */
export class Walk<T> {
  readonly #left: T[];
  readonly #seed: string;
  #at: number;

  constructor(candidates: readonly T[], rank: number, seed: string) {
    this.#left = [...candidates];
    this.#seed = seed;
    this.#at = this.#left.length === 0 ? 0 : rank % this.#left.length;
  }

  /** Undefined when all have been tried. */
  next(): T | undefined {
    return this.#left.splice(this.#at, 1)[0];
  }

  taken(): void {
    // The best of the rest comes next.
    this.#at = 0;
  }

  lost(): void {
    const { length } = this.#left;
    this.#at = length === 0 ? 0 : hash(`${this.#seed} ${length}`) % length;
  }
}
