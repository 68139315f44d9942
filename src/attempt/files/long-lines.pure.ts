/** What a person can read of one line, characters; a traceback has none that is longer. */
export const MAX_LINE_CHARACTERS = 10_000;

/**
 * Cuts lines that are too long to be shown, while they come: its beginning is shown at once, and at
 * its end how much of it was left out.
 */
export class LineLimiter {
  readonly #most: number;
  /** Of the present line. */
  #shown = 0;
  #leftOut = 0;

  constructor(most = MAX_LINE_CHARACTERS) {
    this.#most = most;
  }

  /** What is to be shown of the next piece of text. */
  push(text: string): string {
    let shown = '';
    let begin = 0;
    for (;;) {
      const newline = text.indexOf('\n', begin);
      shown += this.#take(text.slice(begin, newline < 0 ? undefined : newline));
      if (newline < 0) return shown;
      shown += `${this.end()}\n`;
      begin = newline + 1;
    }
  }

  /** What is to be said at the end of a line, or of the text. */
  end(): string {
    const characters = this.#leftOut === 1 ? 'character' : 'characters';
    const said = this.#leftOut === 0 ? '' : ` [${this.#leftOut} more ${characters} of this line]`;
    this.#shown = 0;
    this.#leftOut = 0;
    return said;
  }

  #take(part: string): string {
    const taken = part.slice(0, Math.max(0, this.#most - this.#shown));
    this.#shown += taken.length;
    this.#leftOut += part.length - taken.length;
    return taken;
  }
}

/** A text with its lines cut. */
export function withShortLines(text: string, most = MAX_LINE_CHARACTERS): string {
  const limiter = new LineLimiter(most);
  return limiter.push(text) + limiter.end();
}
