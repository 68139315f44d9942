import { inColour, print } from './output.ts';

/** Draws in place on a terminal; elsewhere prints each event once, when it is new. */
export class Screen {
  readonly #live = inColour() && process.stdout.isTTY;
  #lines = 0;
  #printed = new Set<string>();
  #last = '';
  #note = '';

  /** `events`: all that holds now; one that held at the last call is not printed again. */
  draw(picture: string, events: readonly string[]): void {
    if (!this.#live) {
      for (const event of events) {
        if (!this.#printed.has(event)) print(`${new Date().toISOString().slice(11, 19)} ${event}`);
      }
      this.#printed = new Set(events);
      return;
    }
    this.#last = picture;
    this.#redraw();
  }

  /** A line below the picture, from now on. */
  note(text: string): void {
    this.#note = text;
    if (this.#live) this.#redraw();
    else print(text);
  }

  /** Leaves the picture as it is; what is printed next stands below it. */
  end(): void {
    this.#lines = 0;
  }

  #redraw(): void {
    const lines = `${this.#last}\n${this.#note}`.split('\n');
    const height = Math.max(1, (process.stdout.rows ?? 50) - 1);
    const width = process.stdout.columns ?? 120;
    const shown = lines.slice(0, height).map((line) => cut(line, width));
    const up = this.#lines > 0 ? `\x1b[${this.#lines}A` : '';
    process.stdout.write(`${up}\r\x1b[J${shown.join('\n')}\n`);
    this.#lines = shown.length;
  }
}

/** Cuts a line at the width of the terminal, so that it never takes two; escapes take no room. */
function cut(line: string, width: number): string {
  let room = width;
  let shown = '';
  // eslint-disable-next-line no-control-regex
  for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith('\x1b')) {
      shown += part;
    } else {
      shown += part.slice(0, Math.max(0, room));
      room -= part.length;
    }
  }
  return shown;
}
