import { BSON } from 'mongodb';

import { latenciesOf } from '../attempt/attempt-times.pure.ts';
import { inputInWords } from '../attempt/live-input.pure.ts';
import { fleetFacts, fleetNowOf, roleAsked } from '../claim/fleet-facts.ts';
import type { AttemptView, DeletedData, RunAnswer, RunNote, StoredData } from '../readmodel/api.ts';
import { explainFleet } from '../readmodel/explain-fleet.pure.ts';
import { withHandOn } from '../readmodel/explain-hand-on.pure.ts';
import { withNumber } from '../readmodel/explain-number.pure.ts';
import { targetLadder } from '../readmodel/ladder.pure.ts';
import { rowOf } from '../readmodel/readings.ts';
import { redact } from '../readmodel/redact.pure.ts';
import { type LastCause, runAdvice, withFound } from '../readmodel/trouble.pure.ts';
import type { AttemptDocument } from '../retry/attempt-history.port.ts';
import { storedCause, storedCauseText } from '../retry/stored-cause.pure.ts';
import { checkRun } from '../run/run.pure.ts';
import { runView } from '../run/run-view.pure.ts';
import { numberHolder } from '../run/same-number.pure.ts';
import { numbered } from '../run/same-number.store.ts';
import type { StoredDeletion, StoredEntry as Entry, StoredNote } from '../run/stored-run.pure.ts';
import { actionView } from './action-view.ts';
import { attemptsInReach } from './attempt-places.ts';
import type { Surroundings } from './surroundings.ts';

const MOST_ATTEMPTS = 50;
const MOST_ACTIONS = 100;
/** Nobody reads a longer document on a page. */
const MOST_CHARACTERS = 4_000_000;

/** Everything about one run; null if there is none of this number. */
export async function runAnswer(
  { store, settings, feeder }: Surroundings,
  number: number,
): Promise<RunAnswer | null> {
  const { rules } = settings;
  const [now, documents, attempts, actions] = await Promise.all([
    store.serverTime(),
    store.runs.byNumber(number),
    store.attempts.ofRun(number, MOST_ATTEMPTS),
    store.actions.list({ run: number, limit: MOST_ACTIONS }),
  ]);
  // Of several documents with this number the owner is shown, and the explanation names the others.
  const ofNumber = numbered(documents);
  const own = numberHolder(ofNumber);
  if (own === null) return null;
  const { document, id, stored } = own;
  const parsed = checkRun(stored);
  const row = rowOf(document, now, rules);
  const view = runView(stored, now, rules.limits);
  const fleet = await fleetFacts(
    { store, rules, role: roleAsked(feeder.hosts), primaries: settings.host.primaries },
    now,
  );
  const fleetNow = await fleetNowOf(store, feeder.hosts);
  const inReach = await attemptsInReach(settings, attempts);
  const oldestFirst = [...attempts].reverse();
  const found = numbered(await store.overview.whole(number)).find((each) => each.id === id);
  const whole = found?.stored ?? stored;
  const data = whole.data.map(storedOf);
  return {
    now: now.toISOString(),
    row,
    reason: view.reason,
    explanation: withHandOn(
      withNumber(explainFleet(parsed, fleetNow, { fleet, rules, now }), id, ofNumber),
      stored,
      now,
      rules,
    ),
    advice: withFound(runAdvice(row, lastCauseOf(attempts)), found?.document ?? document),
    rateMBps: parsed.kind === 'run' ? parsed.run.rateMBps : null,
    daq: parsed.kind === 'run' ? parsed.run.daq : null,
    attempts: oldestFirst.map((attempt) => attemptView(attempt, inReach.has(attempt.attempt))),
    ladder: targetLadder(oldestFirst.flatMap(rungOf), data),
    data,
    deleted: whole.deletedData.map(deletedOf),
    actions: actions.map(actionView),
    tags: notesOf(whole.tagNotes),
    comments: notesOf(whole.comments),
  };
}

/** Why the newest attempt that failed did so. */
function lastCauseOf(newestFirst: readonly AttemptDocument[]): LastCause {
  for (const { result } of newestFirst) {
    const cause = result === null ? null : storedCause(result);
    if (cause !== null) return cause;
  }
  return null;
}

/** The run document as it is stored, for people: Extended JSON, passwords masked. */
export async function documentText(
  { store }: Surroundings,
  number: number,
): Promise<string | null> {
  const documents = await store.overview.whole(number);
  if (documents.length === 0) return null;
  const plain = documents.map((document) =>
    redact(BSON.EJSON.serialize(document, { relaxed: true })),
  );
  const text = JSON.stringify(plain.length === 1 ? plain[0] : plain, null, 2);
  return text.length <= MOST_CHARACTERS
    ? text
    : `${text.slice(0, MOST_CHARACTERS)}\n... (${text.length} characters; the rest is left out)`;
}

/** An attempt as the page of its run shows it. */
export function attemptView(attempt: AttemptDocument, filesHere: boolean): AttemptView {
  const { result, plan } = attempt;
  const number = (name: string) => {
    const value = plan?.[name];
    return typeof value === 'number' ? value : null;
  };
  return {
    attempt: attempt.attempt,
    host: attempt.host,
    started: attempt.started.toISOString(),
    ended: attempt.ended?.toISOString() ?? null,
    begun: plan !== null,
    rung: attempt.failures,
    ...resultView(result),
    cores: number('cores'),
    maxMessages: number('maxMessages'),
    timeoutSeconds: number('timeoutSeconds'),
    steps: latenciesOf(attempt.times ?? {}, {
      ended: attempt.ended ?? attempt.started,
      done: result?.outcome === 'done',
    }),
    reasons: textsOf(plan?.['reasons']),
    filesHere,
  };
}

const WITHOUT_RESULT = {
  ...{ outcome: null, counted: false, reason: null, traceback: null, fingerprint: null },
  ...{ seconds: null, peakMemoryBytes: null, bytes: null, versions: {} },
};

function resultView(result: AttemptDocument['result']) {
  const told = { ...WITHOUT_RESULT, ...result };
  const { outcome, counted, reason, traceback, fingerprint } = told;
  const { seconds, peakMemoryBytes, bytes, versions } = told;
  return {
    ...{ outcome, counted, reason, traceback, fingerprint },
    ...{ seconds, peakMemoryBytes, bytes, versions },
    cause: storedCauseText(result ?? {}),
    input: inputInWords(result?.input),
  };
}

function rungOf({ attempt, plan, result }: AttemptDocument) {
  if (plan === null) return [];
  return [
    {
      attempt,
      targets: textsOf(plan['targets']),
      postProcessing: textsOf(plan['postProcessing']),
      dropped: textsOf(plan['dropped']),
      outcome: result?.outcome ?? null,
      plugin: result?.plugin ?? null,
    },
  ];
}

function storedOf({ type, host, location }: Entry): StoredData {
  return { type: type ?? '?', host: host ?? '?', location };
}

/** Oldest first. */
function notesOf(notes: readonly StoredNote[]): RunNote[] {
  return notes
    .map(({ text, by, at }) => ({ text, by, at: at?.toISOString() ?? null }))
    .sort((a, b) => (a.at ?? '').localeCompare(b.at ?? ''));
}

function deletedOf({ type, host, at, by }: StoredDeletion): DeletedData {
  return { type: type ?? '?', host: host ?? '?', at: at?.toISOString() ?? null, by };
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
