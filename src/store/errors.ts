/**
 * - unreachable: no answer in time, or no connection; try again later
 * - unauthorized: the server refused the credentials or a privilege
 * - refused: the server understood and said no (wrong operator, document too large, not allowed here)
 */
export type StoreErrorKind = 'unreachable' | 'unauthorized' | 'refused';

/** The one error of this subsystem; its message never contains credentials. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  /** The write may have been carried out although no answer came. */
  readonly uncertain: boolean;

  constructor(kind: StoreErrorKind, message: string, uncertain = false) {
    super(message);
    this.kind = kind;
    this.uncertain = uncertain;
  }
}
