/** Another manager, or the owner of the state folder, keeps this manager from running. */
export class ManagerRefused extends Error {
  override readonly name = 'ManagerRefused';
  readonly exitCode: 0 | 2;

  /** `exitCode` 0: a newer manager has replaced this one, which is no error. */
  constructor(message: string, options: { exitCode?: 0 | 2; cause?: unknown } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 2;
  }
}
