import type { TargetRules } from '../../infra/config/rules.pure.ts';
import { ABANDON_TAG, HOLD_TAG } from '../../run/run-tags.pure.ts';
import type { StoredRun } from '../../run/stored-run.pure.ts';
import { lacksData } from '../live-input.pure.ts';

/** A done attempt that made fewer targets than wanted. */
export interface Debtor {
  attempt: string;
  host: string;
  /** Where it wrote; null if its plan is not known. */
  outputDirectory: string | null;
}

/** From the history of the attempt. */
export function debtorOf(history: {
  attempt: string;
  host: string;
  plan: Record<string, unknown> | null;
}): Debtor {
  const { attempt, host, plan } = history;
  const directory = plan?.['outputDirectory'];
  return { attempt, host, outputDirectory: typeof directory === 'string' ? directory : null };
}

/** What a run document says that matters to a debt; whatever is not there is null. */
export interface DebtFacts {
  state: string | null;
  host: string | null;
  lastAttempt: string | null;
  /** Attempt that makes up for the debt now. */
  debtAttempt: string | null;
  /** Attempt that has made up for it. */
  debtPaid: string | null;
  status: string | null;
  /** State of restrax, which moves a finished run's data on. */
  restrax: string | null;
  tags: readonly string[];
  /** Its raw data lacks what could not be read. */
  incomplete: boolean;
  data: readonly { type: string; host: string; location: string | null }[];
}

/** Run-level status of a done run with which nobody has gone on. */
export const OFFERABLE_STATUS: readonly (string | null)[] = [null, 'eb_finished_pre'];
/** restrax has not begun, or has given up. */
export const OFFERABLE_RESTRAX: readonly (string | null)[] = [null, 'failed'];

export function debtFacts({ bootstrax, own, data, tags, ...stored }: StoredRun): DebtFacts {
  return {
    state: stored.stateText,
    host: bootstrax.host,
    lastAttempt: own.lastAttempt,
    debtAttempt: own.debt?.attempt ?? null,
    debtPaid: own.debtPaid,
    status: stored.statusText,
    restrax: stored.restrax,
    tags,
    incomplete: own.incomplete !== null && lacksData(own.incomplete),
    data: data.map(({ type, host, location }) => ({
      type: type ?? '',
      host: host ?? '',
      location,
    })),
  };
}

export interface DebtRules {
  targets: Pick<TargetRules, 'lastResort'>;
}

/** From which data the missing targets could be made. */
export function sourceOfDebt(
  { host }: Debtor,
  { data }: DebtFacts,
  { targets }: DebtRules,
): 'raw data' | 'live data' | 'none' {
  const raw = data.some(
    (entry) => entry.host === host && entry.type.startsWith(targets.lastResort),
  );
  if (raw) return 'raw data';
  return data.some(({ type }) => type === 'live') ? 'live data' : 'none';
}

/**
 * Whether a debt could be made up for now. Only while the run is done and everything of it still
 * lies where its host has put it: who has gone on with the run would not see what is added.
 */
export function offerable(
  debtor: Debtor,
  facts: DebtFacts,
  rules: DebtRules,
): { ok: true } | { ok: false; reason: string } {
  const reason = whyNotTheRun(debtor, facts) ?? whyNotTheData(debtor, facts, rules);
  return reason === null ? { ok: true } : { ok: false, reason };
}

/** What keeps the run from being processed for its debt; null if nothing does. */
function whyNotTheRun(debtor: Debtor, facts: DebtFacts): string | null {
  const { state, host, status, restrax } = facts;
  if (state !== 'done') return `it is ${state ?? 'new'}, not done`;
  if (host !== debtor.host || facts.lastAttempt !== debtor.attempt) {
    return 'it has been processed again since';
  }
  if (facts.debtAttempt !== null) return 'it is being made up for now';
  for (const tag of [ABANDON_TAG, HOLD_TAG]) {
    if (facts.tags.includes(tag)) return `it is tagged ${tag}`;
  }
  if (facts.incomplete) return 'its raw data is incomplete: live data could not be read';
  if (!OFFERABLE_STATUS.includes(status)) {
    return `others have gone on with it: its status is ${status ?? 'null'}`;
  }
  return OFFERABLE_RESTRAX.includes(restrax) ? null : `restrax has it: ${restrax ?? ''}`;
}

/** What of the data that the run has is not where it is needed; null if all is. */
function whyNotTheData(debtor: Debtor, facts: DebtFacts, rules: DebtRules): string | null {
  const { outputDirectory } = debtor;
  if (outputDirectory === null) return 'it is not known where its data was written';
  const moved = facts.data.find(
    (entry) => entry.host === debtor.host && !isDirectlyIn(entry.location ?? '', outputDirectory),
  );
  if (moved !== undefined) {
    return `its ${moved.type} is not in ${outputDirectory} but in ${moved.location ?? 'no place'}`;
  }
  return sourceOfDebt(debtor, facts, rules) === 'none' ? 'its data is gone' : null;
}

function isDirectlyIn(location: string, directory: string): boolean {
  const parent = directory.replace(/\/+$/, '');
  return location.startsWith(`${parent}/`) && !location.slice(parent.length + 1).includes('/');
}

/** What was made of what was wanted. */
export function madeOf(plan: Record<string, unknown> | null, dropped: readonly string[]) {
  const names = (field: string) =>
    Array.isArray(plan?.[field]) ? (plan[field] as unknown[]).map(String) : [];
  const got = [...new Set([...names('targets'), ...names('postProcessing')])];
  return { got, wanted: [...new Set([...got, ...dropped])] };
}
