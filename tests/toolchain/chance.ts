/**
 * Numbers in [0, 1) that follow from a seed: TOOLCHAIN_SEED, else a new one. It is printed, so that
 * what has failed can be tried again.
 */
export function seededRandom(what: string): () => number {
  const seed = Number(process.env['TOOLCHAIN_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${what}: TOOLCHAIN_SEED=${seed}`);
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
