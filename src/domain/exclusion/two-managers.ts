/** Who gave a life sign under a host's name. */
export interface SignWriter {
  atMs: number;
  /** Instance of the manager; of release 0.1.0 its process id. */
  writer: string;
}

/**
 * Two managers that write under one name at the same time: one of them wrote before and after the
 * other. One that took over from the other never writes before it again. Null: there is but one.
 */
export function twoManagers(signs: readonly SignWriter[]): [string, string] | null {
  const inOrder = [...signs].sort((a, b) => a.atMs - b.atMs);
  const ended = new Set<string>();
  let last: string | null = null;
  for (const { writer } of inOrder) {
    if (writer === last) continue;
    if (ended.has(writer)) return [writer, last ?? writer];
    if (last !== null) ended.add(last);
    last = writer;
  }
  return null;
}
