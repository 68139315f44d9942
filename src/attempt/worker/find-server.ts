import { systemClock } from '../../infra/clock/clock.ts';
import { comesTrue } from '../../infra/concurrency/comes-true.ts';
import { TOO_LATE, within } from '../../infra/concurrency/deadline.ts';
import { isAlive, signalProcess } from '../../infra/linux/process-identity.ts';
import type { ServerMessage } from '../attempt.pure.ts';
import type { ServerLink } from './server-link.ts';
import {
  clearDeadServers,
  connectTo,
  type ServerOnDisk,
  serversOnDisk,
} from './servers-on-disk.ts';
import { differences, type WorkerTerms } from './worker-terms.pure.ts';

/** A server that takes attempts answers at once; this is generous. */
const HELLO_SECONDS = 10;
const END_SECONDS = 10;
const LOOK_MS = 20;

export type Hello = Extract<ServerMessage, { type: 'hello' }>;

export interface FoundServer {
  link: ServerLink;
  hello: Hello;
}

/**
 * The server that an earlier manager of this state folder has left, if one like it would be made now
 * and none of its files has changed. All others are told to retire, and the reasons noted.
 */
export async function findServer(
  directory: string,
  terms: WorkerTerms,
  note: (note: string) => void,
): Promise<FoundServer | null> {
  let found: FoundServer | null = null;
  for (const server of serversOnDisk(directory)) {
    if (server.state === 'retired') continue;
    const answer = await meet(server);
    if (answer === null) {
      await endForGood(server);
      if (server.state === 'ready') {
        note(`the worker of an earlier manager (pid ${server.identity.pid}) did not answer: killed`);
      }
      continue;
    }
    const { hello, link } = answer;
    const why = [...hello.changed, ...differences(terms, hello.terms)];
    if (found === null && why.length === 0) {
      found = answer;
      continue;
    }
    if (why.length > 0) {
      note(
        `the worker of an earlier manager (pid ${server.identity.pid}) is not used any more: ` +
          `${why.join('; ')}. A new one is started; the old one ends once its attempts have ended`,
      );
    }
    await retire(server, link);
  }
  await clearDeadServers(directory).catch((error: unknown) => {
    note(`what is left of earlier workers in ${directory} cannot be removed: ${String(error)}`);
  });
  return found;
}

/**
 * Tells all servers of a state folder that no manager comes any more: each ends once its attempts
 * have. Answers how many there were.
 */
export async function retireServers(directory: string): Promise<number> {
  const running = serversOnDisk(directory).filter(({ state }) => state !== 'retired');
  for (const server of running) {
    const answer = await meet(server);
    if (answer === null) await endForGood(server);
    else await retire(server, answer.link);
  }
  await clearDeadServers(directory);
  return running.length;
}

/** Null if it does not answer; one that is not ready has no attempts and would not for long. */
async function meet(server: ServerOnDisk): Promise<FoundServer | null> {
  if (server.state === 'starting') return null;
  const link = await connectTo(server);
  if (link === null) return null;
  const hello = await link.first(HELLO_SECONDS);
  if (hello?.type === 'hello' && hello.identity.startTicks === server.identity.startTicks) {
    return { link, hello };
  }
  link.close();
  return null;
}

async function retire(server: ServerOnDisk, link: ServerLink): Promise<void> {
  link.send({ type: 'retire' });
  const answer = await within(systemClock, END_SECONDS, link.end());
  link.close();
  if (answer === TOO_LATE) await endForGood(server);
}

/** Attempts do not depend on their server: it may be killed at any time. */
async function endForGood({ identity }: ServerOnDisk): Promise<void> {
  signalProcess(identity, 'SIGKILL');
  // Stuck in the kernel it cannot be waited for.
  const checks = { withinSeconds: END_SECONDS, everySeconds: LOOK_MS / 1000 };
  await comesTrue(systemClock, checks, () => !isAlive(identity));
}
