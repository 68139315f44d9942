import type { Random } from './random.ts';

/** What a night may have besides the ordinary: each is a way in which two parties meet. */
export const WORLDS = [
  /** Some hosts write to one output folder. */
  'shared output',
  /** Two managers of one host are alive at once, with one state folder. */
  'twins',
  /** The same, each with a state folder of its own. */
  'strangers',
  /** Two hosts have one state folder. */
  'shared state',
  /** A host has another name after a restart. */
  'renamed',
  /** The program before this one runs on hosts of ours, and copies fields that it does not know. */
  'guest',
  /** The DAQ counts from an old number: a second document with the number of a run. */
  'recount',
  /** Managers stand still between two files that they read. */
  'late reads',
  /** Files of live data come late, or never, or are cut. */
  'damaged input',
  /** Runs are called done that nobody has made anything of. */
  'bare done',
] as const;

export type World = (typeof WORLDS)[number];

/** How often a night has one. */
const EXTRAORDINARY = 0.5;

/** What a night has that is told by its seed: the first that is drawn. */
export function worldsOf(random: Random): World[] {
  return random.chance(EXTRAORDINARY) ? [random.pick(WORLDS)] : [];
}

export function worldNamed(name: string): World {
  const world = WORLDS.find((one) => one === name);
  if (world === undefined) throw new Error(`there is no world '${name}': ${WORLDS.join(', ')}`);
  return world;
}
