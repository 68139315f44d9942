import { counted } from '../infra/values/counted.pure.ts';
import type { Incomplete, Lack, LackKind } from '../run/incomplete.pure.ts';
import type { Input } from './attempt.pure.ts';

/** Named one by one in documents and messages; all are counted. */
const MOST_PARTS = 20;
const MOST_IN_WORDS = 5;

/** What an attempt did not read of the live data; null where nothing is known to lack. */
export function incompleteOf(input: Input | null | undefined): Incomplete | null {
  if (input === null || input === undefined) return null;
  const { missingCount: missing, unreadableCount: unreadable, unreadCount: unread } = input;
  if (missing + unreadable + unread === 0) return null;
  const nothing = { reader: null, bytes: null, rows: null, problem: null };
  const parts: Lack[] = [
    ...input.unreadable.map(({ chunk, reader, bytes, rows, file, problem }) => ({
      kind: 'unreadable' as const,
      ...{ chunk, reader, bytes, rows, problem: `${file}: ${problem}` },
    })),
    ...input.unread.map(({ chunk, bytes }) => ({
      kind: 'unread' as const,
      ...{ ...nothing, chunk, bytes },
    })),
    ...input.missing.map(({ chunk, reader }) => ({
      kind: 'missing' as const,
      ...{ ...nothing, chunk, reader },
    })),
  ];
  return { missing, unreadable, unread, parts: parts.slice(0, MOST_PARTS) };
}

/**
 * Whether the raw data lacks what was there and could not be used. Such a run is not handed on:
 * the next program deletes live data of which a person might still rescue something.
 */
export function lacksData({ unreadable, unread }: Pick<Incomplete, 'unreadable' | 'unread'>) {
  return unreadable + unread > 0;
}

/** One sentence each. */
export function incompleteInWords(incomplete: Incomplete): string[] {
  const { missing, unreadable, unread, parts } = incomplete;
  const sentences: string[] = [];
  const add = (kind: LackKind, count: number, what: string) => {
    if (count === 0) return;
    const named = parts.filter((part) => part.kind === kind).slice(0, MOST_IN_WORDS);
    const more = count > named.length ? `, and ${count - named.length} more` : '';
    sentences.push(`${what}: ${named.map(partInWords).join('; ')}${more}.`);
  };
  add('unreadable', unreadable, 'Incomplete: live data that could not be read was left out');
  add('unread', unread, 'Incomplete: live data behind a missing chunk was not read');
  add('missing', missing, 'Live data of a reader is missing');
  return sentences;
}

function partInWords({ kind, chunk, reader, bytes, rows, problem }: Lack): string {
  switch (kind) {
    case 'missing':
      return `chunk ${chunk} of ${reader ?? 'a reader'}`;
    case 'unread':
      return `chunk ${chunk} (${bytes ?? 0} bytes)`;
    case 'unreadable':
      return `chunk ${chunk} of ${reader ?? 'a reader'} (${counted(bytes ?? 0, 'byte')}, ${counted(rows ?? 0, 'row')} read of it; ${problem ?? 'damaged'})`;
  }
}

export interface InputNotice {
  priority: 'warning' | 'error';
  message: string;
}

/** What the DAQ's log is told of the input of a run that is done. */
export function inputNotices(run: number, input: Input | null | undefined): InputNotice[] {
  if (input === null || input === undefined) return [];
  const notices: InputNotice[] = [];
  const incomplete = incompleteOf(input);
  if (incomplete !== null) {
    const kept = 'Its live data is not deleted';
    for (const sentence of incompleteInWords(incomplete)) {
      const priority = sentence.startsWith('Incomplete') ? 'error' : 'warning';
      notices.push({ priority, message: `run ${run}: ${sentence} ${kept}` });
    }
  }
  const quiet = quietInWords(input.quiet);
  if (quiet !== null) notices.push({ priority: 'warning', message: `run ${run}: ${quiet}` });
  return notices;
}

function quietInWords(quiet: Input['quiet']): string | null {
  if (quiet.length === 0) return null;
  const named = quiet.slice(0, MOST_IN_WORDS).map(({ reader, chunks, first }) => {
    const where =
      chunks === 1 ? `chunk ${first}` : `${counted(chunks, 'chunk')}, the first ${first}`;
    return `${reader} (${where})`;
  });
  const more = quiet.length > named.length ? `, and ${quiet.length - named.length} more` : '';
  return `Readers that wrote nothing while others did: ${named.join(', ')}${more}.`;
}

/** Is all live data in what was made of it, as far as anybody looked? */
export function standsForAll(
  input: Input | null | undefined,
): { ok: true } | { ok: false; why: string } {
  if (input === null || input === undefined) {
    return { ok: false, why: 'what was read of its live data was not accounted for' };
  }
  const incomplete = incompleteOf(input);
  if (incomplete !== null) return { ok: false, why: incompleteInWords(incomplete).join(' ') };
  if (!input.accounted) {
    return {
      ok: false,
      why: 'a reader of its context does not account for what it reads of the live data',
    };
  }
  return { ok: true };
}

/** For the history: bounded. */
export function inputSummary(input: Input | null | undefined) {
  if (input === null || input === undefined) return null;
  const { accounted, chunks, files, bytes, rows, quiet } = input;
  return {
    ...{ accounted, chunks, files, bytes, rows },
    incomplete: incompleteOf(input),
    quiet: quiet.slice(0, MOST_PARTS),
  };
}
export type InputSummary = NonNullable<ReturnType<typeof inputSummary>>;

/** What an attempt has read, for people. */
export function inputInWords(input: InputSummary | null | undefined): string[] {
  if (input === null || input === undefined) return [];
  const { accounted, chunks, files, bytes, rows, incomplete, quiet } = input;
  const silent = quietInWords(quiet);
  return [
    `Read ${counted(chunks, 'chunk')} of live data: ${counted(files, 'file')}, ${counted(bytes, 'byte')}, ${counted(rows, 'row')}.`,
    ...(accounted
      ? []
      : ['Input not accounted: a reader of the context does not say what it reads.']),
    ...(incomplete === null ? [] : incompleteInWords(incomplete)),
    ...(silent === null ? [] : [silent]),
  ];
}
