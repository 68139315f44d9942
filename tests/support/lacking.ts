import { test } from 'vitest';

/** What this machine lacks for some tests. */
export interface Lack {
  why: string;
  /** A program that could be installed: not to have it is a failure in CI. */
  isProgram?: true;
}

/** CI says so: see `.ci/run`. */
const NOTHING_MAY_BE_MISSING = process.env['TEST_NOTHING_MISSING'] === '1';

/**
 * For `test.skipIf` and `describe.skipIf`. Adds a test beside them that names the reason: the report
 * ends with it, and in CI it fails for a missing program.
 */
export function lacking(lack: Lack | null): boolean {
  if (lack === null) return false;
  test(`the machine has what these tests need: ${lack.why}`, ({ skip }) => {
    if (lack.isProgram && NOTHING_MAY_BE_MISSING) throw new Error(lack.why);
    skip(lack.why);
  });
  return true;
}

/** For tests that stop, start or count all of the server. */
export const SERVER_IS_GIVEN: Lack | null =
  process.env['BOOTSTRAX_TEST_MONGO_URL'] === undefined
    ? null
    : { why: 'the database server of BOOTSTRAX_TEST_MONGO_URL is not theirs to stop' };

export const NOT_ROOT: Lack | null =
  process.getuid?.() === 0 ? null : { why: 'only root can do what they do' };
