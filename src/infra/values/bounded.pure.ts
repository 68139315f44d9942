/** Stands in place of the middle of a text that is too long. */
const LEFT_OUT = (characters: number) => `\n[... ${characters} characters left out ...]\n`;
/** Share of the beginning in what is kept of a text that is too long: its end mostly says more. */
const SHARE_OF_BEGINNING = 1 / 3;

/** The text itself, or its beginning and its end with at most `most` characters in all. */
export function boundedText(text: string, most: number): string {
  if (text.length <= most) return text;
  const kept = Math.max(0, most - LEFT_OUT(text.length).length);
  const beginning = Math.floor(kept * SHARE_OF_BEGINNING);
  const end = kept - beginning;
  const left = LEFT_OUT(text.length - kept);
  return `${text.slice(0, beginning)}${left}${text.slice(text.length - end)}`;
}

/** The same in one line, cut at its end: for names, and for what is shown among other words. */
export function boundedLine(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1)}…`;
}

/** The first `most` of a list, and how many more there are. */
export function boundedList<T>(list: readonly T[], most: number): { kept: T[]; more: number } {
  return { kept: list.slice(0, most), more: Math.max(0, list.length - most) };
}
