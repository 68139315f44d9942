import type { Plan } from './attempt.pure.ts';
import { placeOf } from './files/removal.ts';
import type { Environment } from '../ports/environment.ts';

/**
 * The end of an attempt of either kind, once the databases tell what became of it: its place goes, and
 * then no later start looks at it any more.
 */
export async function closeAttempt(env: Environment, plan: Plan): Promise<void> {
  await env.products.removePlace(placeOf(env, plan));
  await env.attempts.markConcluded(env.attempts.directoryOf(plan.attempt));
}
