import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { z } from 'zod';

import {
  makeFolder,
  remove,
  renameDurable,
  syncFolder,
  touchFollowed,
  writeFileDurable,
} from '../../infra/disk/durable.ts';
import {
  type Ended,
  type Ending,
  endingSchema,
  type Exit,
  exitSchema,
  type Plan,
  planSchema,
  PROTOCOL_VERSION,
  type Publishing,
  publishingSchema,
  type Result,
  resultSchema,
  type Started,
  startedSchema,
} from '../attempt.pure.ts';
import { boundedResult } from '../bounded-attempt.pure.ts';
import { boundLog } from './log-file.ts';
import {
  leadsNowhere,
  makeSharedDirectory,
  removeLinked,
  resolveDirectory,
} from './shared-attempt.ts';

/** Something in an attempt directory that cannot be used as it is. */
export interface FileProblem {
  file: string;
  problem: string;
}

/** All that an attempt directory says; null for what is missing or cannot be read. */
export interface AttemptFiles {
  id: string;
  directory: string;
  plan: Plan | null;
  started: Started | null;
  result: Result | null;
  exit: Exit | null;
  /** The attempt lost its run. */
  superseded: boolean;
  /** A manager has begun to end it. */
  ending: Ending | null;
  /** Its products were checked, and a manager has begun to publish them. */
  publishing: Publishing | null;
  /** The manager has written the outcome to the databases: nothing is left to do. */
  concluded: boolean;
  /** Files that are there and cannot be read; a missing one is no problem. */
  problems: FileProblem[];
}

/** How much of concluded attempts is kept. */
export interface Retention {
  /** Number of concluded attempts, the newest. */
  keep: number;
  /** All directories together. */
  maxBytes: number;
  /** The end of each log that is kept. */
  maxLogBytes: number;
}

const ATTEMPT_ID = /^[0-9a-f]{24}$/;

/** Whether a text is an attempt id: 24 hexadecimal digits. */
export function isAttemptId(text: string): boolean {
  return ATTEMPT_ID.test(text);
}

/** Where the attempts of a state folder lie. */
export function attemptsRoot(stateDir: string): string {
  return join(stateDir, 'attempts');
}

/** Directory of one attempt. Throws on anything but an attempt id, which could point elsewhere. */
export function attemptDirectory(stateDir: string, id: string): string {
  if (!isAttemptId(id)) throw new Error(`"${id}" is no attempt id: 24 hexadecimal digits`);
  return join(attemptsRoot(stateDir), id);
}

/** A fresh attempt id: 24 hexadecimal digits. */
export function newAttemptId(): string {
  return randomBytes(12).toString('hex');
}

/**
 * Makes the directory of a planned attempt with its `plan.json`, on disk when this returns; with
 * `shared` below that folder, and a link to it where it would lie.
 */
export async function createAttempt(
  stateDir: string,
  plan: Plan,
  shared: string | null = null,
): Promise<string> {
  const path = attemptDirectory(stateDir, plan.attempt);
  const directory = shared === null ? path : await makeSharedDirectory(path, shared);
  if (shared === null) await makeFolder('attempt.make', directory);
  await touchFollowed(directory);
  const text = `${JSON.stringify(planSchema.parse(plan), null, 2)}\n`;
  await Promise.all([
    writeFileDurable('plan.json', join(directory, 'plan.json'), text),
    syncFolder(attemptsRoot(stateDir)),
  ]);
  return directory;
}

/** Ids of all attempts on disk, in no particular order. */
export async function listAttempts(stateDir: string): Promise<string[]> {
  return (await namesIn(attemptsRoot(stateDir))).filter((name) => ATTEMPT_ID.test(name));
}

/** Ids of the attempts on disk whose outcome is not in the databases yet; cheap with thousands. */
export async function listOpenAttempts(stateDir: string): Promise<string[]> {
  const open: string[] = [];
  for (const id of await listAttempts(stateDir)) {
    if (!(await exists(join(attemptsRoot(stateDir), id, 'concluded')))) open.push(id);
  }
  return open;
}

/** Reads an attempt directory, whatever state it is in; null if there is none. */
export async function readAttempt(stateDir: string, id: string): Promise<AttemptFiles | null> {
  const directory = await resolveDirectory(attemptDirectory(stateDir, id));
  if (!(await exists(directory))) return null;
  const problems: FileProblem[] = [];
  const read = async <T extends { attempt: string }>(file: string, schema: z.ZodType<T>) => {
    const found = await readAttemptFile(directory, file, schema);
    if (found.kind === 'problem') problems.push({ file, problem: found.problem });
    return found.kind === 'read' ? found.value : null;
  };
  return {
    id,
    directory,
    plan: await read('plan.json', planSchema),
    started: await read('started.json', startedSchema),
    result: bounded(await read('result.json', resultSchema)),
    exit: await read('exit.json', exitSchema),
    ending: await read('ending.json', endingSchema),
    publishing: await read('publishing.json', publishingSchema),
    superseded: await exists(join(directory, 'superseded')),
    concluded: await exists(join(directory, 'concluded')),
    problems,
  };
}

const bounded = (result: Result | null) => (result === null ? null : boundedResult(result));

export type ReadFile<T> =
  { kind: 'missing' } | { kind: 'problem'; problem: string } | { kind: 'read'; value: T };

/** Reads one JSON file of an attempt and checks its shape, version and attempt id. */
export async function readAttemptFile<T extends { attempt: string }>(
  directory: string,
  file: string,
  schema: z.ZodType<T>,
): Promise<ReadFile<T>> {
  let text: string;
  try {
    text = await readFile(join(directory, file), 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'problem', problem: `cannot be read: ${String(error)}` };
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'problem', problem: `is not JSON (${text.length} characters; cut off?)` };
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    // What a later release means by the other fields is not known here.
    const { issues } = parsed.error;
    const issue = issues.find(({ path }) => path[0] === 'version') ?? issues[0];
    const where = issue?.path[0] === 'version' ? '' : `field ${issue?.path.join('.') || '(all)'}: `;
    return { kind: 'problem', problem: `${where}${issue?.message ?? 'not as expected'}` };
  }
  if (basename(directory) !== parsed.data.attempt) {
    return { kind: 'problem', problem: `belongs to attempt ${parsed.data.attempt}` };
  }
  return { kind: 'read', value: parsed.data };
}

/** Tells the child of an attempt that it lost its run: it ends itself within seconds. */
export async function markSuperseded(directory: string): Promise<void> {
  await mark(directory, 'superseded');
}

/** Notes why an attempt is about to be ended, on disk when this returns. */
export async function noteEnding(directory: string, ended: Ended): Promise<void> {
  const ending: Ending = { version: PROTOCOL_VERSION, attempt: basename(directory), ended };
  const file = join(directory, 'ending.json');
  await writeFileDurable('ending.json', file, `${JSON.stringify(ending)}\n`);
}

/** Notes where the products of an attempt belong, on disk when this returns. */
export async function notePublishing(
  directory: string,
  locations: readonly string[],
): Promise<void> {
  const publishing: Publishing = {
    version: PROTOCOL_VERSION,
    attempt: basename(directory),
    locations: [...locations],
  };
  const file = join(directory, 'publishing.json');
  await writeFileDurable('publishing.json', file, `${JSON.stringify(publishing)}\n`);
}

/** Notes that the outcome of an attempt is in the databases, so that no later start reads it again. */
export async function markConcluded(directory: string): Promise<void> {
  await mark(directory, 'concluded');
}

/** A directory that somebody removed needs no mark: there is nothing left to read. */
async function mark(directory: string, name: 'superseded' | 'concluded'): Promise<void> {
  try {
    await writeFileDurable(name, join(directory, name), '');
  } catch (error) {
    if (await exists(directory)) throw error;
  }
}

/**
 * Removes an attempt directory. Under another name first: a half-removed one must not look like an
 * attempt of which files are missing.
 */
export async function removeAttempt(stateDir: string, id: string): Promise<void> {
  const directory = attemptDirectory(stateDir, id);
  await removeLinked(directory);
  const doomed = join(attemptsRoot(stateDir), `removed-${id}`);
  await remove('attempt.remove', doomed);
  try {
    await renameDurable('attempt.rename', directory, doomed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await remove('attempt.remove', doomed);
}

/**
 * Keeps the newest concluded attempts within the limits, shortens their logs, and removes the rest;
 * attempts that are not concluded are never touched. Answers the ids removed.
 */
export async function pruneAttempts(stateDir: string, retention: Retention): Promise<string[]> {
  const root = attemptsRoot(stateDir);
  for (const name of await namesIn(root)) {
    if (name.startsWith('removed-')) await remove('attempt.remove', join(root, name));
  }
  const concluded: { id: string; at: number }[] = [];
  for (const id of await listAttempts(stateDir)) {
    if (await leadsNowhere(join(root, id))) await removeAttempt(stateDir, id);
    const at = await modifiedAt(join(root, id, 'concluded'));
    if (at !== null) concluded.push({ id, at });
  }
  concluded.sort((a, b) => b.at - a.at || a.id.localeCompare(b.id));
  const removed: string[] = [];
  let bytes = 0;
  for (const [index, { id }] of concluded.entries()) {
    const directory = join(root, id);
    await boundLog(join(directory, 'log.txt'), retention.maxLogBytes);
    bytes += await bytesIn(directory);
    if (index < retention.keep && bytes <= retention.maxBytes) continue;
    await removeAttempt(stateDir, id);
    removed.push(id);
  }
  return removed;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function modifiedAt(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return null;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await modifiedAt(path)) !== null;
}

async function bytesIn(directory: string): Promise<number> {
  let sum = 0;
  for (const name of await namesIn(directory)) {
    try {
      sum += (await stat(join(directory, name))).size;
    } catch {
      // Gone meanwhile: counts nothing.
    }
  }
  return sum;
}
