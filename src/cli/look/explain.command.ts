import type { Command } from 'commander';

import { incompleteInWords } from '../../attempt/live-input.pure.ts';
import { deletionInWords } from '../../features/deletion/deletion-words.pure.ts';
import type { Store } from '../../ports/store.ts';
import type { Explanation } from '../../readmodel/explain.pure.ts';
import type { NumberedExplanation } from '../../readmodel/explain-number.pure.ts';
import { rowOf } from '../../readmodel/readings.ts';
import {
  type FieldAdvice,
  type RunAdvice,
  runAdvice,
  withFound,
} from '../../readmodel/trouble.pure.ts';
import { type Blame, blame, blameText, isAlike } from '../../retry/blame.pure.ts';
import { type Cause, causeText } from '../../retry/causes.pure.ts';
import { placeNow, runView } from '../../run/run-view.pure.ts';
import { stallText } from '../../run/stall.pure.ts';
import { query } from '../framework/answering.ts';
import { style } from '../framework/output.ts';
import { RUN_HELP, type RunArgument, runArgument } from '../framework/run-argument.ts';
import { explainedRun } from './explained-run.ts';

/** Failures are compared with those of this number of days. */
const DAYS_COMPARED = 30;
const ATTEMPTS_READ = 50;

/** The newest failed attempt at a run: its cause, and what it has in common with others. */
interface LastFailure extends Cause {
  attempt: string;
  host: string;
  /** ISO 8601, UTC. */
  at: string;
  counted: boolean;
  reason: string | null;
  blame: Blame;
}

/** `bootstrax explain N`: from the functions that decide. */
export function addExplain(program: Command): void {
  query(program, {
    name: 'explain',
    about: 'why this run is, or is not, being processed, and what happens next',
    takes: (command) => command.argument('<run>', RUN_HELP, runArgument),
    json: 'one object: {run, document, state, verdict, rules, next, commands, seenFrom, hosts, lastFailure, advice, liveData, incomplete, place, stall, sameNumber}',
    read: async (database, _options, named: RunArgument) => {
      const { store, settings } = database;
      const { now, own, others } = await explainedRun(database, named);
      const { incomplete } = own.stored.own;
      const { progress } = runView(own.stored, now, settings.rules.limits);
      const lastFailure = await lastFailureOf(store, own.run, now);
      const row = rowOf(own.document, now, settings.rules);
      const [deletion] = await store.deletions.ofRun(own.run);
      return {
        ...own.explanation,
        lastFailure,
        advice: withFound(runAdvice(row, lastFailure), own.document),
        liveData: deletion === undefined ? null : deletionInWords(deletion),
        incomplete: incomplete === null ? [] : incompleteInWords(incomplete),
        place: placeNow(own.stored),
        stall: progress?.isStalled === true ? stallText(progress) : null,
        sameNumber: others.map((other) => other.explanation),
      };
    },
    draw: (explanation) => [explanation, ...explanation.sameNumber].map(inWords).join('\n\n'),
  });
}

/** What holds for the run itself, shown once for all documents of its number. */
interface AboutRun {
  lastFailure: LastFailure | null;
  advice: RunAdvice | null;
  liveData: string | null;
  incomplete: readonly string[];
  /** The folder to which the present attempt writes. */
  place: string | null;
  /** Why it makes no progress; null: it does, or is not in work. */
  stall: string | null;
  sameNumber: readonly NumberedExplanation[];
}
const NOTHING_KNOWN = {
  lastFailure: null,
  advice: null,
  liveData: null,
  incomplete: [],
  place: null,
  stall: null,
};

async function lastFailureOf(store: Store, run: number, now: Date): Promise<LastFailure | null> {
  const history = await store.attempts.ofRun(run, ATTEMPTS_READ);
  const failed = history.find(({ result }) => result?.meaning != null);
  if (failed?.result?.meaning == null || failed.ended === null) return null;
  const { attempt, host, ended, result } = failed;
  const { meaning, fingerprint, counted, reason } = result;
  if (meaning == null) return null;
  const seen = { run, host, fingerprint, class: meaning.class };
  const since = new Date(now.getTime() - DAYS_COMPARED * 24 * 3_600_000);
  const others = await store.attempts.failures({ since });
  return {
    ...{ attempt, host, at: ended.toISOString(), counted, reason, ...meaning },
    blame: blame([seen, ...others.filter((other) => isAlike(seen, other))]),
  };
}

function inWords(
  explanation: NumberedExplanation | (Omit<NumberedExplanation, 'sameNumber'> & AboutRun),
): string {
  const { run, state, verdict, rules, next, commands, hosts, document, sameNumber } = explanation;
  const { lastFailure, advice, liveData, incomplete, place, stall } =
    'lastFailure' in explanation ? explanation : NOTHING_KNOWN;
  const which = sameNumber.length === 0 ? '' : `, document ${document}`;
  const lines = [
    `${style('bold', `run ${run ?? '?'}${which}`)}: ${verdictInWords(verdict, state)} (state ${state ?? 'new'})`,
    ...rules.map(({ rule, value, holds }) => {
      const mark = holds ? style('green', 'yes') : style('red', 'no ');
      return `  ${mark} ${rule}: ${value}`;
    }),
  ];
  const others = hosts.filter(({ host }) => host !== explanation.seenFrom);
  if (hosts.length > 0) {
    lines.push(
      `as seen from ${explanation.seenFrom}`,
      ...others.map(
        ({ host, verdict: its, obstacle }) =>
          `  ${host}: ${verdictInWords(its, state)}${obstacle === null ? '' : `, because not: ${obstacle}`}`,
      ),
    );
  }
  if (lastFailure !== null) lines.push(...failureInWords(lastFailure));
  if (advice !== null) lines.push(...adviceLines(advice));
  if (stall !== null) lines.push(`stalled: ${stall}`);
  lines.push(...incomplete);
  if (place !== null) {
    lines.push(`it is written to ${place}, and published from there once it is checked`);
  }
  if (liveData !== null) lines.push(liveData);
  if (next !== null) lines.push(nextInWords(next));
  if (commands.length > 0) {
    lines.push('you can:', ...commands.map((command) => `  ${command}`));
  }
  return lines.join('\n');
}

function failureInWords(failure: LastFailure): string[] {
  const { host, at, counted, sheddingHelps, lessMemory } = failure;
  const means = [
    sheddingHelps ? 'fewer plugins may help' : 'fewer plugins would not help',
    ...(lessMemory ? ['the next attempt gets by with less memory'] : []),
  ];
  return [
    `last failure: ${causeText(failure)}, on ${host}, at ${at}${counted ? '' : ' (not counted)'}; ${means.join(', ')}`,
    `  points to ${blameText(failure.blame)}`,
  ];
}

function nextInWords({ what, at, who }: NonNullable<NumberedExplanation['next']>): string {
  const when = at === null ? '' : `, at ${at}`;
  return `next: ${what}${when}${who === null ? '' : `, by ${who}`}`;
}

function adviceLines({ says, check, fields, not, call }: RunAdvice): string[] {
  return [
    `trouble: ${says}`,
    ...fields.map(fieldLine),
    `  check: ${check}`,
    ...(not === null ? [] : [`  not: ${not}`]),
    `  call ${call}`,
  ];
}

function fieldLine({ field, problem, found, wanted }: FieldAdvice): string {
  const is = found === null ? '' : `; found: ${found}`;
  return `  ${field} ${problem}${is}${wanted === null ? '' : `; wanted: ${wanted}`}`;
}

function verdictInWords(verdict: Explanation['verdict'], state: string | null): string {
  // It may wait for a long time before a child processes it.
  if (verdict === 'running' && state === 'considering') return 'claimed';
  return verdict === 'givenUp' ? 'given up' : verdict;
}
