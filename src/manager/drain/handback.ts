import type { Environment } from '../../ports/environment.ts';
import { untilAnswered } from '../../ports/persist.ts';

/**
 * Exit code of a manager that has handed its host to another program: the service manager must
 * not start this one again by himself.
 */
export const HANDED_BACK = 3;

/** Asked of a manager: no new runs, and when the present ones have ended, leave. */
export interface HandBack {
  /** End the present ones: back to the queue, not counted. */
  endChildren: boolean;
}

export const HANDING_BACK = 'being handed back to another program (bootstrax handback)';

/**
 * The last words of a manager, when nothing of this host is in work any more and nothing else of it
 * is on its way to the databases. Waits as long as the database is away.
 */
export async function leave(env: Environment, signal: AbortSignal): Promise<boolean> {
  const { host, rules } = env;
  const { maxMessages, cores } = rules.resources.fallback;
  const done = await untilAnswered(env, 'that this host is handed back', signal, async () => {
    await env.store.hosts.write({
      host,
      // Idle would mean that it takes runs.
      state: 'busy',
      holder: env.nameLock.holder,
      isLast: true,
      extras: {
        pid: null,
        slots: env.slots,
        role: env.role,
        runs: [],
        accepting: false,
        why_not: 'handed back to another program (bootstrax handback); no manager runs',
        thinking: 'no manager runs here: the host was handed back',
      },
    });
    await env.store.ebMonitor.releaseHost({
      host,
      targets: rules.targets.default,
      max_cores: cores,
      max_messages: maxMessages,
    });
    return true;
  });
  if (done === null) return false;
  env.log.info(
    { event: 'manager.handed_back' },
    `${host} is handed back: nothing of it is in work, and the manager ends`,
  );
  return true;
}
