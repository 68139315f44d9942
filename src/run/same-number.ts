import type { ObjectId } from 'mongodb';

import type { Environment } from '../ports/environment.ts';
import { runLabel, tellDaq } from '../ports/notify.ts';
import { untilAnswered } from '../ports/persist.ts';
import { idText } from './document-id.ts';
import type { Fence } from './run.port.ts';
import { readRun, type Run } from './run.pure.ts';
import type { RunDocument } from './run-document.port.ts';
import { documentInWords, mayBegin, type NumberTaken, setAsideText } from './same-number.pure.ts';
import { numbered } from './same-number.store.ts';
import { seenOf } from './stored-runs.ts';

/** Most runs in one pass; the next pass reads on. */
const BATCH = 200;

export type NumberCheck =
  | { kind: 'ours' }
  | { kind: 'others'; because: NumberTaken }
  /** The document has another number by now. */
  | { kind: 'renumbered' }
  | { kind: 'stopped' };

/** Reads all documents with the number of a claimed run and decides whether it may begin or yields. */
export async function checkNumber(
  env: Environment,
  run: Run,
  fence: Fence,
  signal: AbortSignal,
): Promise<NumberCheck> {
  const found = await untilAnswered(env, `documents of run ${run.number}`, signal, () =>
    env.store.runs.byNumber(run.number),
  );
  if (found === null) return { kind: 'stopped' };
  const documents = numbered(found);
  const id = idText(fence.id);
  const may = mayBegin(id, documents);
  switch (may.kind) {
    case 'yes':
      return { kind: 'ours' };
    case 'gone':
      return { kind: 'renumbered' };
    case 'no': {
      const others = documents.filter((each) => each.id !== id);
      return {
        kind: 'others',
        because: {
          text: setAsideText(run.number, id, documents),
          problems: others.map((other) => ({
            field: 'number',
            problem: `is that of document ${documentInWords(other)} as well`,
          })),
          sameNumber: others.map((other) => other.id),
        },
      };
    }
  }
}

/**
 * Requeues runs that were set aside because other documents had their number, once the other document
 * was removed or got another number.
 */
export class SetAsideNumbers {
  readonly #env: Environment;
  /** The next pass begins after this one. */
  #after: ObjectId | null = null;

  constructor(env: Environment) {
    this.#env = env;
  }

  async check(): Promise<void> {
    const found = await this.#env.store.runs.setAsideForNumber(this.#after, BATCH);
    this.#after = found.length < BATCH ? null : (found.at(-1)?._id ?? null);
    for (const document of found) await this.#checkRun(document);
  }

  async #checkRun(document: RunDocument): Promise<void> {
    const env = this.#env;
    const { number, bootstrax } = readRun(document);
    if (number === null) return;
    const documents = numbered(await env.store.runs.byNumber(number));
    if (mayBegin(idText(document._id), documents).kind !== 'yes') return;
    const seen = seenOf(document);
    const { failures } = bootstrax;
    if ((await env.store.runs.retry(seen, env.host, failures)) !== 'landed') return;
    const message = `${runLabel(seen)} goes back to the queue: no other document has its number any more`;
    env.log.info({ event: 'run.number_freed', run: number }, message);
    await tellDaq(env, 'info', message, number);
  }
}
