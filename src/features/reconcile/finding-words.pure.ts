import type { Finding, RunSeen } from '../../attempt/files/folder-listing.pure.ts';

/** Findings that only a person can correct. */
export function forAPerson(
  details: Finding['details'],
): Pick<Finding, 'action' | 'needsPerson' | 'details'> {
  return { action: null, needsPerson: true, details };
}

/** Findings that go away by themselves, or that another program handles. */
export function forNobody(
  details: Finding['details'],
): Pick<Finding, 'action' | 'needsPerson' | 'details'> {
  return { action: null, needsPerson: false, details };
}

/** The state of the documents of one run. */
export function inWords(documents: readonly RunSeen[]): string {
  return documents.map(stateInWords).join('; ');
}

/** The state of one document. */
export function stateInWords({ state, host }: RunSeen): string {
  if (state === null || state === undefined) return 'new';
  if (typeof state !== 'string') return 'of no known state';
  return typeof host === 'string' ? `${state} on ${host}` : state;
}

/** A date for people, from ms since 1970. */
export function iso(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : 'unknown';
}
