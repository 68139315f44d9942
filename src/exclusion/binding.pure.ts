import { counted } from '../infra/values/counted.pure.ts';

/** A runs database as a manager finds it, or as a state folder remembers it. */
export interface DatabaseIdentity {
  /** Set once in the database; a copy of the database has it too. Null: there is none. */
  mark: string | null;
  /** Id of the collection that has the mark: a copy has another one. Null: the server does not say. */
  collection: string | null;
  /** As the URL spells them, sorted. */
  servers: readonly string[];
  name: string;
}

/** Attempts in a state folder that are not concluded. */
export interface OpenAttempts {
  count: number;
  /** Number of these attempts that are in this database. */
  known: number;
}

export type Binding =
  | { kind: 'same' }
  /** Another database than before; nothing in the folder depends on the former one. */
  | { kind: 'bind'; warning: string | null }
  /** The database has lost its mark: the mark in the folder's record is written to it again. */
  | { kind: 'mark_anew' }
  | { kind: 'refused'; reason: string };

/** The mark was copied along with the collection. */
function isCopy(stored: DatabaseIdentity, seen: DatabaseIdentity): boolean {
  if (stored.collection === null || seen.collection === null) return false;
  return stored.collection !== seen.collection;
}

/** Whether a state folder's attempts are of this database. */
export function bindingOf(
  stored: DatabaseIdentity | null,
  seen: DatabaseIdentity,
  open: OpenAttempts,
  stateDir: string,
): Binding {
  if (stored === null) return { kind: 'bind', warning: null };
  const spelledAlike = stored.servers.join() === seen.servers.join() && stored.name === seen.name;
  if (stored.mark !== null && seen.mark !== null) {
    if (stored.mark === seen.mark && !isCopy(stored, seen)) return { kind: 'same' };
  } else if (stored.mark !== null) {
    if (open.known > 0 || (spelledAlike && open.count === 0)) return { kind: 'mark_anew' };
  } else if (spelledAlike) return { kind: 'same' };
  const before = `${stored.servers.join(', ')}, ${stored.name}`;
  const now = `${seen.servers.join(', ')}, ${seen.name}`;
  if (open.count === 0) {
    return {
      kind: 'bind',
      warning: `the state folder ${stateDir} was used with another runs database (${before}) and goes on with this one (${now})`,
    };
  }
  const attempts = counted(open.count, 'attempt');
  return {
    kind: 'refused',
    reason: `the state folder ${stateDir} belongs to another runs database (${before}; this one: ${now}) and has ${attempts} of it that ${open.count === 1 ? 'is' : 'are'} not concluded: set the URL of that database, or give this one a state folder of its own (BOOTSTRAX_STATE_DIR). If this database takes the place of the other: bootstrax adopt --database`,
  };
}
