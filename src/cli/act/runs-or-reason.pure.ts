/** The words after the first run of a command that takes several runs. */
export type RunsOrReason =
  { kind: 'runs'; runs: number[] } | { kind: 'reason'; words: string[] } | { kind: 'unclear' };

/**
 * Further runs, or the reason: `5 6 7`, or `5 bad gains`. A text that begins with a number may be
 * either, and nothing is done to a run that was not meant.
 */
export function runsOrReason(words: readonly string[]): RunsOrReason {
  const isNumber = (word: string) => /^\d{1,15}$/.test(word);
  if (words.every(isNumber)) return { kind: 'runs', runs: words.map(Number) };
  if (isNumber(words[0] ?? '')) return { kind: 'unclear' };
  return { kind: 'reason', words: [...words] };
}
