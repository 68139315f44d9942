import { basename, dirname, join, resolve } from 'node:path';

import { isDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { untilAnswered, untilWritten } from '../ports/persist.ts';
import type { Fenced } from '../run/run.port.ts';
import type { Plan, Product } from './attempt.pure.ts';
import type { FolderWord } from './files/ownership.pure.ts';
import { makingRoom, runsNow, takeAside, takeIntoPlace, takingBack } from './files/removal.ts';

/** Of a long run each is megabytes of metadata to read. */
const WORDS_AT_A_TIME = 4;

export type Publication =
  | { kind: 'published' }
  | { kind: 'superseded' }
  /** The manager ends: the next one goes on with it. */
  | { kind: 'stopped' }
  /** What was published of it is to be taken back. */
  | { kind: 'impossible'; reason: string };

async function publishAll(
  env: Environment,
  plan: Plan,
  products: readonly Product[],
  { mark, signal }: { mark: () => Promise<Fenced>; signal: AbortSignal },
): Promise<Publication> {
  const { place, attempt } = plan;
  if (place == null || products.length === 0) return { kind: 'published' };
  const locations = products.map(({ location }) => location);
  for (const location of locations) {
    if (dirname(location) !== resolve(plan.outputDirectory)) {
      const where = `${location} does not lie directly in ${plan.outputDirectory}`;
      return { kind: 'impossible', reason: `a product of run ${plan.run} has no place: ${where}` };
    }
  }
  await env.attempts.notePublishing(env.attempts.directoryOf(attempt), locations);
  const landed = await untilWritten(env, `the publication of run ${plan.run}`, signal, mark);
  if (landed !== 'landed') return { kind: landed === null ? 'stopped' : landed };
  const replaced = await toReplace(env, plan, signal);
  if (replaced === null) return { kind: 'stopped' };
  for (const location of locations) {
    const from = join(place, basename(location));
    let published = await env.products.publish(from, location, attempt);
    if (published.kind === 'in_the_way' && (await replaced.makeWay(location))) {
      published = await env.products.publish(from, location, attempt);
    }
    if (published.kind === 'published') continue;
    return { kind: 'impossible', reason: whyNot(location, published) };
  }
  const [foreign] = await Promise.all([
    foreignOf(env, locations, attempt),
    env.products.forcePublished(place, plan.outputDirectory),
  ]);
  if (foreign === null) return { kind: 'published' };
  const { location, word } = foreign;
  return { kind: 'impossible', reason: whyNot(location, { kind: 'in_the_way', word }) };
}

/** The first folder without the stamp of this attempt: another program that shares the output folder may have replaced it. */
async function foreignOf(
  { products }: Environment,
  locations: readonly string[],
  attempt: string,
): Promise<{ location: string; word: FolderWord } | null> {
  for (let begin = 0; begin < locations.length; begin += WORDS_AT_A_TIME) {
    const some = locations.slice(begin, begin + WORDS_AT_A_TIME);
    const said = await Promise.all(
      some.map(async (location) => ({ location, word: await products.wordOf(location) })),
    );
    const foreign = said.find(({ word }) => word.kind !== 'says' || word.attempt !== attempt);
    if (foreign !== undefined) return foreign;
  }
  return null;
}

/**
 * What of earlier products is in the way goes to the trash of the attempt, right before the new is
 * renamed to its name. Null if `signal` ended the waiting.
 */
async function toReplace(
  env: Environment,
  plan: Plan,
  signal: AbortSignal,
): Promise<{ makeWay: (location: string) => Promise<boolean> } | null> {
  const { place, run } = plan;
  const replaces = new Set((plan.replaces ?? []).map((location) => resolve(location)));
  if (place == null || replaces.size === 0) return { makeWay: () => Promise.resolve(false) };
  const documents = await untilAnswered(env, `run ${run}`, signal, () =>
    env.store.runs.byNumber(run),
  );
  if (documents === null) return null;
  // If this was cut, the stamp may not have been read yet: it is read again.
  await env.products.tidyTrash(place);
  const removal = makingRoom(env, plan, [...replaces]);
  const makeWay = async (location: string) =>
    replaces.has(location) && takeAside(env, removal, runsNow(documents), location);
  return { makeWay };
}

/**
 * Gives the checked products of an attempt their place in the output folder: written down first, so
 * that the next manager goes on with a cut publication or takes it back, then the run is seen once more to be
 * this attempt's (`mark`), then they are renamed one by one and their stamps are read. `products` name where they
 * belong. Nothing may wait between this and the conclusion, which lists them. What the disk refuses is this host's
 * trouble.
 */
export async function publish(...given: Parameters<typeof publishAll>): Promise<Publication> {
  try {
    return await publishAll(...given);
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
    return { kind: 'impossible', reason: error.message };
  }
}

/**
 * Takes what a lost attempt has published, and not concluded, back into its place, where it stays;
 * only what the run documents, read now, leave to it. False if `signal` ended the waiting.
 */
export async function takeBackPublished(
  env: Environment,
  plan: Plan,
  signal: AbortSignal,
): Promise<boolean> {
  const { place, run } = plan;
  if (place == null) return true;
  const documents = await untilAnswered(env, `run ${run}`, signal, () =>
    env.store.runs.byNumber(run),
  );
  if (documents === null) return false;
  await takeIntoPlace(env, takingBack(env, plan), runsNow(documents));
  return true;
}

/**
 * The same where it was to replace earlier products: these have their names again before anything is
 * written of what became of the attempt. False if `signal` ended the waiting.
 */
export async function bringBackReplaced(
  env: Environment,
  plan: Plan,
  signal: AbortSignal,
): Promise<boolean> {
  if (plan.place == null || (plan.replaces ?? []).length === 0) return true;
  if (!(await takeBackPublished(env, plan, signal))) return false;
  await env.products.tidyTrash(plan.place);
  return true;
}

type NotPublished = Exclude<
  Awaited<ReturnType<Environment['products']['publish']>>,
  { kind: 'published' }
>;

function whyNot(location: string, published: NotPublished): string {
  if (published.kind === 'gone') return `${location} is gone, although it was finished and checked`;
  const { word } = published;
  const whose =
    word.kind === 'says'
      ? `attempt ${word.attempt} on ${word.host} made it`
      : 'it does not say which attempt made it';
  return `a folder that is not this attempt's is in the way: ${location} (${whose}). Find out whose it is ('bootstrax reconcile'), then move or remove it`;
}
