import type { Document, ObjectId } from 'mongodb';

import type { NewCandidatesQuery } from '../claim/claim.port.ts';
import { assertThat } from '../infra/values/assertion.pure.ts';
import { STATUS_TO_REPLACE } from './hand-on.pure.ts';
import type { DoneUnfinishedQuery, Fence } from './run.port.ts';
import type { Seen } from './run-document.port.ts';
import { HOLD_TAG } from './run-tags.pure.ts';

/**
 * Fields of a run that the program reads: the reference's projection and what the decisions need
 * besides. Lineages (`data.meta`) stay in the database: they are most of a document.
 */
export const RUN_PROJECTION = {
  number: 1,
  start: 1,
  end: 1,
  status: 1,
  mode: 1,
  detectors: 1,
  rate: 1,
  tags: 1,
  bootstrax: 1,
  'data.host': 1,
  'data.type': 1,
  'data.location': 1,
  'daq_config.processing_threads': 1,
  'daq_config.compressor': 1,
  'daq_config.strax_fragment_payload_bytes': 1,
  'daq_config.strax_chunk_length': 1,
  'daq_config.strax_chunk_overlap': 1,
} as const;

export const SEEN_PROJECTION = {
  number: 1,
  'bootstrax.state': 1,
  'bootstrax.host': 1,
  'bootstrax.time': 1,
  'bootstrax.attempt': 1,
} as const;

/** Where the data of a run lies, and who holds the run. */
export const PLACES_PROJECTION = {
  ...SEEN_PROJECTION,
  start: 1,
  end: 1,
  'data.host': 1,
  'data.type': 1,
  'data.location': 1,
} as const;

/** A tag is an object with a name; a tag that a person wrote as plain text counts as well. */
export function notTagged(...names: string[]): Document {
  return { 'tags.name': { $nin: names }, tags: { $nin: names } };
}

export const UNSETTLED_STATES = ['considering', 'busy'] as const;

export function newCandidatesFilter(query: NewCandidatesQuery): Document {
  return {
    'bootstrax.state': null,
    ...(query.begunBefore === undefined ? {} : { start: { $lt: query.begunBefore } }),
    ...without([...(query.includeHeld ? [] : [HOLD_TAG]), ...(query.withoutTags ?? [])]),
    ...(query.withoutDetector === undefined ? {} : { detectors: { $ne: query.withoutDetector } }),
  };
}

/** Runs without these tags. An abandon tag in plain text does not exclude a run: it is abandoned then. */
export function without(tags: readonly string[]): Document {
  if (tags.length === 0) return {};
  const held = tags.includes(HOLD_TAG) ? { tags: { $nin: [HOLD_TAG] } } : {};
  return { 'tags.name': { $nin: [...tags] }, ...held };
}

export function unsettledFilter(host?: string): Document {
  return {
    'bootstrax.state': { $in: [...UNSETTLED_STATES] },
    ...(host === undefined ? {} : { 'bootstrax.host': host }),
  };
}

/** Runs that are set aside: a range of the index of retries. */
export function setAsideFilter(): Document {
  return { 'bootstrax.state': 'failed', 'bootstrax.next_retry': null };
}

/** Of the runs set aside, those whose number other documents have as well. */
export function forNumberFilter(): Document {
  return { 'bootstrax.same_number.0': { $exists: true } };
}

/** Of the runs set aside, those with a fault of the document or of the live data. */
export function forFaultFilter(): Document {
  return { 'bootstrax.outcome': 'set_aside', 'bootstrax.same_number.0': { $exists: false } };
}

/** A tag as an object, and as plain text (`run/tags.pure`): no index would bound one filter for both. */
function tagged(tag: string): Document[] {
  return [{ 'tags.name': tag }, { tags: tag }];
}

export function waitingTaggedFilters(tag: string): Document[] {
  return tagged(tag).map((each) => ({ ...each, 'bootstrax.state': { $in: [null, 'failed'] } }));
}

/**
 * One filter for each thing that a done run may lack, with the equalities and the range of its index:
 * for an `$or` some servers would read every document.
 */
export function doneUnfinishedFilters(query: DoneUnfinishedQuery): Document[] {
  const done = { 'bootstrax.state': 'done' };
  const start = { $gte: query.since };
  return [
    ...withoutStatusFilters(query.since),
    { ...done, end: null, start },
    ...tagged(query.tag).map((each) => ({ ...each, ...done, start: { $gte: query.taggedSince } })),
  ];
}

/** Done runs begun since then that were not handed on: one index range for each status. */
export function withoutStatusFilters(since: Date): Document[] {
  return STATUS_TO_REPLACE.map((status) => ({
    'bootstrax.state': 'done',
    status,
    start: { $gte: since },
  }));
}

/** Matches while the ownership is as it was read; null also matches a missing field. */
export function seenFilter(seen: Seen): Document {
  return {
    'bootstrax.state': { $eq: seen.state },
    'bootstrax.host': { $eq: seen.host },
    'bootstrax.time': { $eq: seen.time },
    'bootstrax.attempt': { $eq: seen.attempt },
    ...heldFilter(seen.held),
  };
}

function heldFilter(held: boolean | undefined): Document {
  if (held === undefined) return {};
  return held ? { 'tags.name': HOLD_TAG } : notTagged(HOLD_TAG);
}

/** Matches while the run is as this attempt concluded it and its live data is listed. */
export function liveOfDoneFilter(
  { attempt, host }: Fence,
  location: string,
  unlessTagged: readonly string[],
): Document {
  return {
    'bootstrax.state': 'done',
    'bootstrax.host': host,
    'bootstrax.attempt': null,
    'bootstrax.last_attempt': attempt,
    ...notTagged(...unlessTagged),
    data: { $elemMatch: { type: 'live', host: 'daq', location } },
  };
}

/**
 * One of them matches unless the run is done under this host's name: then the entries belong to that
 * attempt. Two filters, because beside an operator the embedded server does not use the id.
 */
export function withdrawFilters(id: ObjectId, host: string): Document[] {
  return [
    { _id: id, 'bootstrax.host': { $ne: host } },
    { _id: id, 'bootstrax.state': { $ne: 'done' } },
  ];
}

/** Runs that are considering, each for one of these attempts of one host. */
export function waitingFilter(fences: readonly Fence[]): Document {
  for (const fence of fences) assertHolds(fence);
  return {
    _id: { $in: fences.map(({ id }) => id) },
    'bootstrax.attempt': { $in: fences.map(({ attempt }) => attempt) },
    'bootstrax.host': { $in: [...new Set(fences.map(({ host }) => host))] },
    'bootstrax.state': 'considering',
  };
}

/**
 * The attempt id alone proves nothing: the reference rewrites the whole sub-document and may copy
 * unknown fields along.
 */
export function fenceFilter(fence: Fence, states: readonly string[]): Document {
  assertHolds(fence);
  assertThat(states.length > 0, () => `the fence of attempt ${fence.attempt} lets no state pass`);
  return {
    'bootstrax.attempt': fence.attempt,
    'bootstrax.host': fence.host,
    'bootstrax.state': { $in: [...states] },
  };
}

/** A field that is not set would be left out of the filter, which then holds for other runs and attempts. */
function assertHolds({ id, attempt, host }: Fence): void {
  const isWhole = (id as unknown) !== undefined && attempt !== '' && host !== '';
  assertThat(isWhole, () => `the fence of attempt '${attempt}' of host '${host}' has no document`);
}
