import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import { type ParsedRun, parseRun } from '../../run/run.pure.ts';
import { CommandFailure } from './command-failure.ts';

/**
 * Run documents of a file, Extended JSON, one a line; `-` is standard input. A line that is none is
 * malformed like a document that is no run. `flag` names the argument in messages.
 */
export async function* runDocuments(flag: string, path: string): AsyncGenerator<ParsedRun> {
  const { BSON } = await import('mongodb');
  const parse = BSON.EJSON.parse as (text: string) => unknown;
  for await (const text of lines(flag, path)) {
    if (text.trim() === '') continue;
    let document: unknown;
    try {
      document = parse(text);
    } catch (error) {
      yield notADocument((error as Error).message);
      continue;
    }
    yield parseRun(document);
  }
}

function notADocument(message: string): ParsedRun {
  const nothing = parseRun(null);
  if (nothing.kind === 'run') throw new Error('null is taken for a run');
  const problems = [{ field: '(document)', problem: `is not Extended JSON: ${message}` }];
  return { kind: 'malformed', malformed: { ...nothing.malformed, problems } };
}

async function* lines(flag: string, path: string): AsyncGenerator<string> {
  const input = path === '-' ? process.stdin : await openFile(flag, path);
  yield* createInterface({ input, crlfDelay: Infinity });
}

async function openFile(flag: string, path: string): Promise<NodeJS.ReadableStream> {
  try {
    const file = await open(path);
    return file.createReadStream();
  } catch (error) {
    throw new CommandFailure(2, `${flag}: ${(error as Error).message}`);
  }
}

/** A number of failures given as a flag; anything else is wrong usage. */
export function failureCount(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new CommandFailure(2, `${flag}: "${text}" is not a number of failures`);
}
