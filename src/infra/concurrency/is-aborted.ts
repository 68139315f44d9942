/**
 * Whether a signal is aborted by now. The compiler takes `signal.aborted` that was false once for false
 * ever after, also beyond an `await`.
 */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
