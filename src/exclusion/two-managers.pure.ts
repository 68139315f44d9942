/** Who gave a life sign under a host's name. */
export interface SignWriter {
  atMs: number;
  /** Null: another program's. */
  writer: string | null;
}

/** The manager that gave a life sign, for people; null: it is the reference's or another program's. */
export function writerOf(sign: Readonly<Record<string, unknown>>): string | null {
  const { instance, pid, thinking } = sign;
  // The reference does not say what it thinks.
  if (typeof pid !== 'number' || typeof thinking !== 'string') return null;
  return typeof instance === 'string'
    ? `pid ${pid}, instance ${instance}`
    : `pid ${pid}, release 0.1.0`;
}

/** One sentence, without its full stop. */
export function twoManagersText(host: string, [one, other]: readonly [string, string]): string {
  return `Two managers write under the name ${host} at the same time (${one}; ${other})`;
}

export const TWO_MANAGERS_TODO =
  'End one of them, or give its machine another host name and a state folder of its own (BOOTSTRAX_HOST, BOOTSTRAX_STATE_DIR).';

/**
 * Two managers that write under one name at the same time: one of them wrote before and after the
 * other. One that took over from the other never writes before it again. Null: there is but one.
 */
export function twoManagers(signs: readonly SignWriter[]): [string, string] | null {
  const inOrder = [...signs].sort((a, b) => a.atMs - b.atMs);
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
