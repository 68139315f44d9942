import type { LimitRules } from '../infra/config/rules.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import type { Run } from '../run/run.pure.ts';
import type { Plan, Result } from './attempt.pure.ts';
import type { Verification } from './outcome.pure.ts';
import { verify } from './verify.ts';

/** What is checked, and how its run document is read again. */
export interface Checked {
  plan: Plan;
  result: Result;
  /** As the document was last seen. */
  run: () => Run;
  /** Between two checks: what is waited for. */
  onWait: (what: 'end' | 'data') => void;
  /** Reads the document again; false if that was not possible. */
  nextLook: () => Promise<boolean>;
  /** Nobody waits for the answer any more. */
  stopped: () => boolean;
}

/**
 * What the checks after the end of a child say, once that does not change any more or has been waited
 * for long enough. Where they are to be ignored, that is told and goes for nothing.
 */
export async function checkProducts(env: Environment, checked: Checked): Promise<Verification> {
  const verification = await settledVerification(env, checked);
  if (verification.kind === 'ok' || !env.ignoreChecks || checked.stopped()) return verification;
  const { number } = checked.run();
  const message = `the checks of run ${number} are ignored, as configured: it is taken as done although they say ${JSON.stringify(verification)}`;
  env.log.warn({ event: 'checks.ignored', run: number, verification }, message);
  await tellDaq(env, 'warning', message, number);
  return { kind: 'ok' };
}

async function settledVerification(
  env: Environment,
  { plan, result, run, onWait, nextLook, stopped }: Checked,
): Promise<Verification> {
  let waitedSeconds = 0;
  for (;;) {
    const verification = await verify(env, run(), plan, result);
    if (waitedSeconds > waitLimitSeconds(verification, run(), env.rules.limits) || stopped()) {
      if (verification.kind === 'not_saved') await sayNotSaved(env, run(), verification.locations);
      return verification;
    }
    onWait(verification.kind === 'not_saved' ? 'data' : 'end');
    const begin = env.clock.monotonicSeconds();
    // While the database is away the DAQ cannot write either.
    if (await nextLook()) waitedSeconds += env.clock.monotonicSeconds() - begin;
  }
}

/** How long what the checks say may still change, seconds. */
function waitLimitSeconds({ kind }: Verification, { end }: Run, limits: LimitRules): number {
  switch (kind) {
    case 'not_ended':
      return limits.endOfRunSeconds;
    case 'no_end':
      // What stands there may be replaced at the end of the run.
      return end === null ? limits.endOfRunSeconds : -1;
    case 'not_saved':
      return limits.registeredSeconds;
    case 'ok':
    case 'bad':
      return -1;
  }
}

async function sayNotSaved(
  env: Environment,
  { number }: Run,
  locations: readonly string[],
): Promise<void> {
  const message = `not all files of run ${number} are saved on ${env.host}: its document lists ${locations.join(', ')}`;
  await tellDaq(env, 'warning', message, number);
}
