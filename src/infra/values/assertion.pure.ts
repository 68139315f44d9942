/** A mistake of this program, after which nothing that it does is safe: the process that meets one ends. */
export class BrokenAssertion extends Error {
  override readonly name = 'BrokenAssertion';
}

/**
 * Ends the program where what it has made itself is not as it must be. Never for what comes from a document, a file or a
 * person: that is a finding, and is told.
 * @throws BrokenAssertion unless `holds`.
 */
export function assertThat(holds: boolean, mistake: () => string): asserts holds {
  if (!holds) throw new BrokenAssertion(`mistake in bootstrax: ${mistake()}`);
}
