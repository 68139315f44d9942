import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

import { systemClock } from '../../infra/clock/clock.ts';
import { Wake } from '../../infra/concurrency/wake.ts';
import { replaceEnd, writeFileDurable } from '../../infra/disk/durable.ts';
import { LineLimiter, withShortLines } from './long-lines.pure.ts';

const READ_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
/** The end of a log that is read at once, whatever its lines are like. */
const MAX_END_BYTES = 8 * 1024 * 1024;
/** Of a log that is shortened, this much of its beginning stays. */
const HEAD_BYTES = 1024 * 1024;
/** Room for the line that says what was removed. */
const NOTE_BYTES = 100;
const REMOVED = /^\[(\d+) bytes of this log were removed here\]\n/m;
/** Beside the kernel's notices, of which some may be lost. */
const READ_SECONDS = 2;

/** The end of a log as it was when it was read. */
export interface LogEnd {
  /** The last lines; the last one may not be finished yet and then has no newline. */
  text: string;
  /** Where the text ends, bytes from the beginning: `followLog` goes on from here. */
  endBytes: number;
}

/**
 * The last `count` lines of a log, of at most `MAX_END_BYTES`; lines that are too long are cut. A log
 * that is not there yet is empty.
 */
export async function readLogEnd(path: string, count: number): Promise<LogEnd> {
  const file = await openIfThere(path);
  if (file === null) return { text: '', endBytes: 0 };
  try {
    const endBytes = (await file.stat()).size;
    const first = Math.max(0, endBytes - MAX_END_BYTES);
    const pieces: Buffer[] = [];
    let begin = endBytes;
    // The newline that ends the last line begins none.
    let wanted = count + 1;
    while (begin > first && wanted > 0) {
      const length = Math.min(READ_BYTES, begin - first);
      begin -= length;
      const piece = await readBytes(file, begin, length);
      pieces.unshift(piece);
      wanted -= newlinesIn(piece);
    }
    const tail = Buffer.concat(pieces);
    const cut = lineStart(tail, count);
    const isCut = cut === null && begin > 0;
    const text = tail.subarray(cut ?? wholeCharacters(tail, begin)).toString('utf8');
    const note = isCut ? `[${begin} bytes before this are not shown; see ${path}]\n` : '';
    return { text: note + withShortLines(text), endBytes };
  } finally {
    await file.close();
  }
}

/** A piece of a log as it grows. */
export interface LogPiece {
  /** Whole characters; lines that are too long are cut. */
  text: string;
  /** Up to where it goes, bytes from the beginning of the log. */
  endBytes: number;
}

/**
 * A log from byte `fromBytes` on as it grows, until `signal` is aborted and what was there by then is
 * read. Waits for the log if it is not there yet.
 */
export async function* followLog(
  path: string,
  fromBytes: number,
  signal: AbortSignal,
): AsyncGenerator<LogPiece, void, void> {
  let decoder = new StringDecoder('utf8');
  const limiter = new LineLimiter();
  let offset = fromBytes;
  let endBytes = fromBytes;
  const wake = new Wake(systemClock);
  const watcher = watch(dirname(path), (_event, name) => {
    if (name === null || name === basename(path)) wake.notify();
  });
  watcher.on('error', () => undefined);
  let file: FileHandle | null = null;
  try {
    for (;;) {
      // What was written before the signal came is still read.
      const last = signal.aborted;
      file ??= await openIfThere(path);
      const size = file === null ? 0 : (await file.stat()).size;
      if (file !== null && size < offset) {
        offset = endBytes = size;
        decoder = new StringDecoder('utf8');
        yield { text: `${limiter.end()}\n[this log was shortened; it goes on here]\n`, endBytes };
      }
      for (;;) {
        const bytes = file === null ? null : await readBytes(file, offset, READ_BYTES);
        if (bytes === null || bytes.length === 0) break;
        offset += bytes.length;
        const read = decoder.write(bytes);
        endBytes += Buffer.byteLength(read);
        const text = limiter.push(read);
        if (text !== '') yield { text, endBytes };
      }
      if (last) {
        const text = limiter.end();
        if (text !== '') yield { text, endBytes };
        return;
      }
      await wake.wait(READ_SECONDS, signal);
    }
  } finally {
    watcher.close();
    await file?.close();
  }
}

/**
 * Shortens a log that nobody writes to any more to `maxBytes` bytes: its beginning and its end stay,
 * with a line between them that says so.
 */
export async function boundLog(path: string, maxBytes: number): Promise<void> {
  const keptBytes = Math.max(0, maxBytes - NOTE_BYTES);
  const shortened = await shortenedLog(path, { maxBytes, keptBytes });
  if (shortened === null) return;
  const { head, end } = shortened;
  const { atime, mtime } = await stat(path);
  await writeFileDurable('log.shorten', path, Buffer.concat([head, end]));
  const file = await open(path, 'r+');
  await file.utimes(atime, mtime).finally(() => file.close());
}

/** The same for a log that is being written: beyond `maxBytes` it is shortened to a third of that. */
export async function boundGrowingLog(path: string, maxBytes: number): Promise<void> {
  const keptBytes = Math.floor(maxBytes / 3);
  const shortened = await shortenedLog(path, { maxBytes, keptBytes });
  if (shortened === null) return;
  await replaceEnd('log.cut', path, shortened.head.length, shortened.end);
}

/** Beginning and end that stay of a log; null if it is short enough. */
async function shortenedLog(
  path: string,
  { maxBytes, keptBytes }: { maxBytes: number; keptBytes: number },
): Promise<{ head: Buffer; end: Buffer } | null> {
  const file = await openIfThere(path);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    if (size <= maxBytes) return null;
    const headBytes = Math.min(HEAD_BYTES, Math.floor(keptBytes / 4));
    const start = await readBytes(file, 0, headBytes + NOTE_BYTES);
    const earlier = REMOVED.exec(start.toString('latin1'));
    const whole = start.subarray(0, earlier?.index ?? headBytes);
    const head = whole.subarray(0, whole.lastIndexOf(NEWLINE) + 1 || whole.length);
    const tailBytes = keptBytes - headBytes;
    // What came while it was read belongs to it.
    const tail = await readBytes(file, size - tailBytes, tailBytes);
    const since = await readBytes(file, size, tailBytes);
    const newline = tail.subarray(0, READ_BYTES).indexOf(NEWLINE);
    const kept = tail.subarray(newline + 1);
    const [oldNote = '', removedBefore = 0] = earlier ?? [];
    const removed = Number(removedBefore) + size - head.length - oldNote.length - kept.length;
    const note = Buffer.from(
      `${head.at(-1) === NEWLINE ? '' : '\n'}[${removed} bytes of this log were removed here]\n`,
    );
    return { head, end: Buffer.concat([note, kept, since]) };
  } finally {
    await file.close();
  }
}

/** Where the last `count` lines begin; null if the bytes may not hold them all. */
function lineStart(bytes: Buffer, count: number): number | null {
  // The newline that ends the last line begins none.
  let position = bytes.length - 1;
  for (let line = 0; line < count; line += 1) {
    if (position <= 0) return null;
    position = bytes.lastIndexOf(NEWLINE, position - 1);
    if (position < 0) return null;
  }
  return count === 0 ? bytes.length : position + 1;
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function newlinesIn(bytes: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) found += 1;
  return found;
}

/** Where the first whole character begins, if these bytes are the middle of a text. */
function wholeCharacters(bytes: Buffer, begin: number): number {
  let first = 0;
  while (begin > 0 && first < 4 && ((bytes[first] ?? 0) & 0xc0) === 0x80) first += 1;
  return first;
}
