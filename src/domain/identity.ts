/**
 * Is a claimed run's document as the attempt named in it has left it? The reference takes a run by
 * rewriting the whole sub-document: it copies the fields that it does not know, an attempt's id and
 * host among them, but writes a time of its own. So our writes give that time twice. Releases before
 * 0.1.1 gave it once: of theirs nothing can be told.
 */
export function isAsItsAttemptLeftIt(bootstrax: Record<string, unknown>): boolean {
  const { time, attempt_time: own } = bootstrax;
  if (own === undefined || own === null) return true;
  return time instanceof Date && own instanceof Date && time.getTime() === own.getTime();
}
