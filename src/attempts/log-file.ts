import { watch } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

import { writeFileDurable } from './durable.ts';

const READ_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
/** Beside the kernel's notices, of which some may be lost, seconds. */
const LOOK_SECONDS = 2;

/** The end of a log as it was when it was read. */
export interface LogEnd {
  /** The last lines; the last one may not be finished yet and then has no newline. */
  text: string;
  /** Where the text ends, bytes from the beginning: `followLog` goes on from here. */
  endBytes: number;
}

/** The last `count` lines of a log; a log that is not there yet is empty. */
export async function readLogEnd(path: string, count: number): Promise<LogEnd> {
  const file = await openIfThere(path);
  if (file === null) return { text: '', endBytes: 0 };
  try {
    const endBytes = (await file.stat()).size;
    let tail = Buffer.alloc(0);
    let begin = endBytes;
    let cut = lineStart(tail, count);
    while (begin > 0 && cut === null) {
      const length = Math.min(READ_BYTES, begin);
      begin -= length;
      tail = Buffer.concat([await readBytes(file, begin, length), tail]);
      cut = lineStart(tail, count);
    }
    return { text: tail.subarray(cut ?? 0).toString('utf8'), endBytes };
  } finally {
    await file.close();
  }
}

/**
 * The text of a log from byte `fromBytes` on as it grows, in pieces of whole characters, until
 * `signal` is aborted and what was there by then is read. Waits for the log if it is not there yet.
 */
export async function* followLog(
  path: string,
  fromBytes: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder('utf8');
  let offset = fromBytes;
  const news = { due: true, wake: () => {} };
  const notice = () => {
    news.due = true;
    news.wake();
  };
  const watcher = watch(dirname(path), (_event, name) => {
    if (name === null || name === basename(path)) notice();
  });
  watcher.on('error', () => undefined);
  const timer = setInterval(notice, LOOK_SECONDS * 1000);
  signal.addEventListener('abort', notice);
  let file: FileHandle | null = null;
  try {
    for (;;) {
      // What was written before the signal came is still read.
      const last = signal.aborted;
      news.due = false;
      file ??= await openIfThere(path);
      for (;;) {
        const bytes = file === null ? null : await readBytes(file, offset, READ_BYTES);
        if (bytes === null || bytes.length === 0) break;
        offset += bytes.length;
        const text = decoder.write(bytes);
        if (text !== '') yield text;
      }
      if (last) return;
      if (!news.due) {
        await new Promise<void>((resolve) => {
          news.wake = resolve;
        });
      }
    }
  } finally {
    clearInterval(timer);
    watcher.close();
    signal.removeEventListener('abort', notice);
    await file?.close();
  }
}

/** Shortens a log to its last `maxBytes` bytes, from a line's beginning, with a line that says so. */
export async function boundLog(path: string, maxBytes: number): Promise<void> {
  const file = await openIfThere(path);
  if (file === null) return;
  let kept: Buffer;
  let removed: number;
  try {
    const { size } = await file.stat();
    if (size <= maxBytes) return;
    const tail = await readBytes(file, size - maxBytes, maxBytes);
    kept = tail.subarray(tail.indexOf(NEWLINE) + 1);
    removed = size - kept.length;
  } finally {
    await file.close();
  }
  const { atime, mtime } = await stat(path);
  const head = Buffer.from(`[the first ${removed} bytes of this log were removed]\n`);
  await writeFileDurable('log.shorten', path, Buffer.concat([head, kept]));
  const shortened = await open(path, 'r+');
  await shortened.utimes(atime, mtime).finally(() => shortened.close());
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
