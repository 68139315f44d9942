/** A machine, identified by what a name server cannot change. */
export interface MachineMark {
  /** /etc/machine-id; null where there is none. */
  id: string | null;
  /** Name of the machine in the kernel. */
  name: string;
}

/** The host and machine to which a state folder belongs. */
export interface FolderOwner {
  host: string;
  machine: MachineMark;
}

export type NameDecision =
  | { kind: 'as_given' }
  /** Only the resolver's name for this machine has changed. */
  | { kind: 'as_stored'; name: string; warning: string }
  | { kind: 'refused'; reason: string };

/** Whether a manager with this name may use the state folder, and under which name it runs. */
export function hostNameFor(
  owner: FolderOwner | null,
  given: { name: string; isExplicit: boolean; machine: MachineMark; stateDir: string },
): NameDecision {
  const { name, isExplicit, machine, stateDir } = given;
  if (owner === null || owner.host === name) return { kind: 'as_given' };
  if (!isExplicit && isSameMachine(owner.machine, machine)) {
    return {
      kind: 'as_stored',
      name: owner.host,
      warning: `the resolver calls this machine ${name}, but the state folder ${stateDir} belongs to ${owner.host}: this manager runs as ${owner.host}. Is the name server down? If the machine was renamed: bootstrax adopt --host ${name}`,
    };
  }
  return { kind: 'refused', reason: foreignFolder(owner.host, given) };
}

/** Why this host does not use the state folder of another host, and what to do. */
export function foreignFolder(
  owner: string,
  { name, stateDir }: { name: string; stateDir: string },
): string {
  return `the state folder ${stateDir} belongs to host ${owner}, and this host is called ${name}: give ${name} a state folder of its own (BOOTSTRAX_STATE_DIR), or call it ${owner} (BOOTSTRAX_HOST). If ${owner} was renamed to ${name}: bootstrax adopt --host ${name}`;
}

function isSameMachine(one: MachineMark, other: MachineMark): boolean {
  if (one.id !== null && other.id !== null) return one.id === other.id;
  return one.name === other.name;
}
