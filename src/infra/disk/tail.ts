import { type FileHandle, open } from 'node:fs/promises';

const READ_BYTES = 256 * 1024;
/** A line without an end beyond this is given up: it can only be damage. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Cuts a stream of bytes into lines. A line is given out once its end has come; characters of
 * several bytes may be cut anywhere, since only whole lines are decoded.
 */
export class LineCutter {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #skipping = false;

  /** The lines completed by these bytes, without their ends. */
  push(bytes: Buffer): string[] {
    const lines: string[] = [];
    let begin = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, begin);
      if (end < 0) break;
      const line = this.#take(bytes.subarray(begin, end));
      if (line !== null) lines.push(line);
      begin = end + 1;
    }
    this.#hold(bytes.subarray(begin));
    return lines;
  }

  #take(last: Buffer): string | null {
    const line = this.#skipping ? null : Buffer.concat([...this.#pieces, last]).toString('utf8');
    this.#pieces = [];
    this.#bytes = 0;
    this.#skipping = false;
    return line;
  }

  #hold(rest: Buffer): void {
    if (rest.length === 0 || this.#skipping) return;
    this.#bytes += rest.length;
    if (this.#bytes > MAX_LINE_BYTES) {
      this.#skipping = true;
      this.#pieces = [];
      return;
    }
    // A copy: the buffer it is part of will be used for the next read.
    this.#pieces.push(Buffer.from(rest));
  }
}

/** Reads a growing file from its beginning, each time from where the time before ended. */
export class FileTail {
  readonly path: string;
  readonly #cutter = new LineCutter();
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES);
  #file: FileHandle | null = null;
  #offset = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Lines completed since the last time; none if the file is not there yet. */
  async readLines(): Promise<string[]> {
    if (this.#file === null) {
      try {
        this.#file = await open(this.path, 'r');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    }
    const lines: string[] = [];
    for (;;) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, READ_BYTES, this.#offset);
      if (bytesRead === 0) return lines;
      this.#offset += bytesRead;
      lines.push(...this.#cutter.push(this.#buffer.subarray(0, bytesRead)));
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }
}
