/** Begins what nobody waits for; an error of it is the window's, like one of a handler of events. */
export function begin(work: Promise<unknown>): void {
  work.catch((error: unknown) => reportError(error));
}
