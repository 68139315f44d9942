import { z } from 'zod';

import type { PluginGraph, Product, Result } from '../../attempt/attempt.pure.ts';
import { standsForAll } from '../../attempt/live-input.pure.ts';
import type { LimitRules, TargetRules } from '../../infra/config/rules.pure.ts';
import { matches, suitsDetectors } from '../../infra/config/type-names.pure.ts';
import { type ParsedRun, problemsText, type Run } from '../../run/run.pure.ts';
import { ABANDON_TAG, HOLD_TAG } from '../../run/run-tags.pure.ts';

/**
 * Decides whether the live data of a run may be deleted. Each condition is checked separately, from present
 * facts; a condition that does not hold, or is unknown, is a refusal with its cause.
 */
export type Allowed<T> = ({ kind: 'allowed' } & T) | { kind: 'refused'; cause: string };

/** One product after a complete reading, from `bootstrax_worker check-products`. */
export const checkedProductSchema = z.looseObject({
  type: z.string(),
  location: z.string(),
  chunks: z.int().nonnegative(),
  /** Rows after decompression. */
  rows: z.int().nonnegative(),
  /** Bytes of all files in the folder. */
  bytes: z.int().nonnegative(),
  startNs: z.string().nullable(),
  endNs: z.string().nullable(),
  firstTimeNs: z.string().nullable(),
  lastTimeNs: z.string().nullable(),
  /** Digest of its files, each of which agrees with the entry of its chunk; null if the entries have none. */
  digest: z.string().nullable(),
  /** What is wrong with the product; null: nothing. */
  problem: z.string().nullable(),
});
export type CheckedProduct = z.infer<typeof checkedProductSchema>;

/** The answer of `check-products`, one line. */
export const productCheckSchema = z.looseObject({
  products: z.array(checkedProductSchema),
  /** How the products were checked, in one phrase. */
  how: z.string(),
});
export type ProductCheck = z.infer<typeof productCheckSchema>;

/** A product that replaces deleted live data. */
export interface Voucher {
  type: string;
  location: string;
  chunks: number;
  rows: number;
  bytes: number;
  /** First start and last end of its chunks, ns since 1970 UTC, as digits. */
  startNs: string;
  endNs: string;
  /** Null if the product was made without digests. */
  digest: string | null;
}

/** Fields that decide on deletion: they must be right, not only good enough for processing. */
const OF_DELETION = /^(start|end|detectors|data|tags|status|bootstrax)(\.|$)/;

function refused(cause: string): { kind: 'refused'; cause: string } {
  return { kind: 'refused', cause };
}

/**
 * Checks that the run is still as this host concluded it. `attempt`: the one that requested the deletion;
 * `lastAttempt`: the one in the document (`bootstrax.last_attempt`).
 */
export function stillOurs(
  parsed: ParsedRun,
  lastAttempt: unknown,
  { host, attempt }: { host: string; attempt: string },
): Allowed<{ run: Run; end: Date }> {
  if (parsed.kind === 'malformed') {
    return refused(`its document is malformed: ${problemsText(parsed.malformed.problems)}`);
  }
  const { run } = parsed;
  const odd = run.oddities.filter(({ field }) => OF_DELETION.test(field));
  if (odd.length > 0) return refused(`its document is odd: ${problemsText(odd)}`);
  const { state, host: holder, attempt: running, outcome } = run.bootstrax;
  if (state !== 'done') return refused(`it is not done any more, but ${state ?? 'new'}`);
  if (holder !== host) {
    return refused(`${holder ?? 'nobody'} has concluded it since, and not this host`);
  }
  if (running !== null || lastAttempt !== attempt) {
    return refused('another attempt was made at it later');
  }
  // Another program may copy the id of our attempt.
  if (outcome !== null && outcome !== 'done') {
    return refused(`it is done, but not by this host's attempt: that one was ${outcome}`);
  }
  const tag = [HOLD_TAG, ABANDON_TAG].find((name) => run.tags.includes(name));
  if (tag !== undefined) return refused(`it is tagged ${tag}`);
  if (run.end === null) return refused('its end is not known');
  return { kind: 'allowed', run, end: run.end };
}

/**
 * The folder that holds only the run's live data. Its location must be exactly one of the configured roots,
 * not a folder below, above or beside one.
 */
export function liveFolderOf(
  run: Run,
  roots: readonly string[],
): Allowed<{ root: string; location: string }> {
  const live = run.data.filter(({ type }) => type === 'live');
  const [entry] = live;
  if (entry === undefined || entry.location === null) {
    return refused('its document lists no live data any more');
  }
  if (live.length > 1) return refused('its document lists live data more than once');
  if (entry.host !== 'daq') {
    return refused(`its live data is listed under ${entry.host || 'no host'}, and not under daq`);
  }
  const { location } = entry;
  const root = configuredRoot(location, roots);
  if (root === null) {
    return refused(
      `its live data is said to lie in ${location}, which is not the configured folder ` +
        `(${roots.join(', ')})`,
    );
  }
  return { kind: 'allowed', root, location };
}

/** The configured root at a location, without a slash at its end; null if there is none. */
export function configuredRoot(location: string, roots: readonly string[]): string | null {
  const root = trimmed(location);
  // The root of the machine is a mistake in the configuration.
  if (root === '' || !isPlain(location)) return null;
  return roots.some((each) => trimmed(each) === root) ? root : null;
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

function isPlain(path: string): boolean {
  const segments = trimmed(path).split('/').slice(1);
  return (
    path.startsWith('/') &&
    !path.includes('\0') &&
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  );
}

/**
 * The raw types that must exist before live data of these detectors may be deleted: all that the context
 * makes for one of them. `context`: that of the attempt.
 */
export function requiredRawTypes(
  detectors: readonly string[],
  graph: PluginGraph,
  context: string,
  { lastResort, rawTypes, detectors: rules }: TargetRules,
): Allowed<{ types: string[] }> {
  if (graph.context !== context) {
    return refused(
      `it was processed with ${context}, whose raw data is unknown: the worker has ${graph.context}`,
    );
  }
  if (detectors.length === 0) return refused('its document names no detector');
  const raw = Object.entries(graph.types).filter(
    ([type]) => type.startsWith(lastResort) || rawTypes.includes(type),
  );
  for (const detector of detectors) {
    const known = raw.some(([type]) => {
      const rule = rules.find(({ pattern }) => matches(type, pattern));
      return rule === undefined || rule.detector === detector;
    });
    if (!known) return refused(`which raw data belongs to the detector ${detector} is not known`);
  }
  const types = raw.filter(([type]) => suitsDetectors(type, detectors, rules));
  const never = types.find(([, { saved }]) => saved === 'never');
  if (never !== undefined) return refused(`the context never stores ${never[0]}`);
  return { kind: 'allowed', types: types.map(([type]) => type).sort() };
}

/** The products of an attempt that have to be read, one for each required type. */
export function productsToCheck(
  run: Run,
  host: string,
  required: readonly string[],
  result: Result,
): Allowed<{ products: Product[] }> {
  if (!result.ok) return refused('the result of the attempt says that it failed');
  const input = standsForAll(result.input);
  if (!input.ok) return refused(input.why);
  const products: Product[] = [];
  for (const type of required) {
    const [product, another] = result.products.filter((each) => each.type === type);
    if (product === undefined) return refused(`${type} was not made`);
    if (another !== undefined) return refused(`${type} was made more than once`);
    const listed = run.data.some(
      (entry) => entry.type === type && entry.host === host && entry.location === product.location,
    );
    if (!listed) {
      return refused(`${type} is not listed for this host at ${product.location} any more`);
    }
    products.push(product);
  }
  return { kind: 'allowed', products };
}

/** What of a product is no longer as it was made, in words; null if nothing. */
function changeSince(made: Product, found: CheckedProduct): string | null {
  for (const field of ['chunks', 'rows', 'bytes', 'startNs', 'endNs'] as const) {
    if (found[field] === made[field]) continue;
    return `${field} is ${found[field] ?? 'none'}, and was ${made[field] ?? 'none'}`;
  }
  const digest = made.digest ?? null;
  if (digest === null || found.digest === digest) return null;
  return `its digest is ${found.digest ?? 'none'}, and was ${digest}`;
}

/** Checks that these products, as just read, replace all of the live data. */
export function vouchersOf(
  { run, end }: { run: Run; end: Date },
  products: readonly Product[],
  checked: readonly CheckedProduct[],
  limits: Pick<LimitRules, 'coverageSeconds'>,
): Allowed<{ vouchers: Voucher[] }> {
  const vouchers: Voucher[] = [];
  for (const made of products) {
    const { type, location } = made;
    const found = checked.find((each) => each.type === type && each.location === location);
    if (found === undefined) return refused(`${type} was not checked`);
    if (found.problem !== null) return refused(`${type}: ${found.problem}`);
    const change = changeSince(made, found);
    if (change !== null) {
      return refused(`${type} has changed: ${change} when it was made (${location})`);
    }
    const { startNs, endNs } = found;
    if (found.chunks === 0 || startNs === null || endNs === null) {
      return refused(`${type} has no chunks (${location})`);
    }
    const gap = gapOf(run.start, end, found, limits.coverageSeconds);
    if (gap !== null) return refused(`${type} ${gap} (${location})`);
    const { chunks, rows, bytes } = found;
    vouchers.push({
      ...{ type, location, chunks, rows, bytes, startNs, endNs },
      digest: made.digest ?? null,
    });
  }
  if (vouchers.length === 0) return refused('there is no raw data to replace it');
  return { kind: 'allowed', vouchers };
}

/**
 * What is wrong with the time that a product covers; null if it begins and ends with the run, by its chunks
 * or by its rows, since the last chunk may reach far beyond the end.
 */
function gapOf(
  start: Date,
  end: Date,
  { startNs, endNs, firstTimeNs, lastTimeNs }: CheckedProduct,
  limitSeconds: number,
): string | null {
  const spans = [off(start, end, startNs, endNs), off(start, end, firstTimeNs, lastTimeNs)].filter(
    (each) => each !== null,
  );
  if (spans.some((each) => each.begin < limitSeconds && each.end < limitSeconds)) return null;
  const [chunks] = spans;
  if (chunks === undefined) return 'does not say which time it covers';
  return (
    `does not cover the run: it begins ${chunks.begin.toFixed(1)} s from its start and ends ` +
    `${chunks.end.toFixed(1)} s from its end, and both must be less than ${limitSeconds} s`
  );
}

function off(start: Date, end: Date, first: string | null, last: string | null) {
  if (first === null || last === null) return null;
  return { begin: secondsBetween(start, first), end: secondsBetween(end, last) };
}

function secondsBetween(date: Date, ns: string): number {
  return Math.abs(Number(BigInt(ns) - BigInt(date.getTime()) * 1_000_000n)) / 1e9;
}
