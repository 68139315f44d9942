/** Another manager, or the state folder's owner, stands in the way of this one. */
export class ManagerRefused extends Error {
  override readonly name = 'ManagerRefused';
  readonly exitCode: 0 | 2;

  /** `exitCode` 0: it was replaced by a younger one, as it should be. */
  constructor(message: string, options: { exitCode?: 0 | 2; cause?: unknown } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 2;
  }
}
