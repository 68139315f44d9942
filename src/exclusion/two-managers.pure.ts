/** A heartbeat under a host's name, and its writer. */
export interface WrittenHeartbeat {
  atMs: number;
  /** Null: another program wrote it. */
  writer: string | null;
}

/** The manager that sent a heartbeat, for people; null: the reference or another program sent it. */
export function writerOf(heartbeat: Readonly<Record<string, unknown>>): string | null {
  const { instance, pid, thinking } = heartbeat;
  // The reference writes no `thinking`.
  if (typeof pid !== 'number' || typeof thinking !== 'string') return null;
  return typeof instance === 'string'
    ? `pid ${pid}, instance ${instance}`
    : `pid ${pid}, release 0.1.0`;
}

/** One sentence without its full stop. */
export function twoManagersText(host: string, [one, other]: readonly [string, string]): string {
  return `Two managers write under the name ${host} at the same time (${one}; ${other})`;
}

export const TWO_MANAGERS_TODO =
  'Stop one of them, or give its machine another host name and a state folder of its own (BOOTSTRAX_HOST, BOOTSTRAX_STATE_DIR).';

/**
 * Two managers that write under one name at the same time: one of them wrote both before and after the
 * other. A manager that was replaced never writes again. Null: there is only one.
 */
export function twoManagers(heartbeats: readonly WrittenHeartbeat[]): [string, string] | null {
  const inOrder = [...heartbeats].sort((a, b) => a.atMs - b.atMs);
  const ended = new Set<string>();
  let last: string | null = null;
  for (const { writer } of inOrder) {
    if (writer === null || writer === last) continue;
    if (ended.has(writer)) return [writer, last ?? writer];
    if (last !== null) ended.add(last);
    last = writer;
  }
  return null;
}
