import type { Plan } from '../attempt/attempt.pure.ts';
import { StoreError } from '../infra/mongo/store-error.ts';
import { boundedLine, boundedText } from '../infra/values/bounded.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import { idText } from '../run/document-id.ts';
import type { Seen } from '../run/run-document.port.ts';
import type { LogPriority } from './daq.port.ts';
import type { Environment } from './environment.ts';

/** Characters. */
const LONGEST_MESSAGE = 4000;
const LONGEST_ID = 100;

/** One line of the log, and what belongs to it. */
export type LogLine = (fields: object, message: string) => void;

/** What it takes to write into the DAQ's log. */
export interface DaqLogEnvironment {
  host: string;
  store: Pick<Environment['store'], 'daqLog'>;
  log: { warn: LogLine };
}

/**
 * Tells the people who watch the DAQ's log, if its database is there and takes it. `run` is as the
 * document has it: left out unless it is a number.
 */
export async function tellDaq(
  env: DaqLogEnvironment,
  priority: LogPriority,
  message: string,
  run?: unknown,
): Promise<void> {
  try {
    await env.store.daqLog.write({
      host: env.host,
      priority,
      message: boundedText(message, LONGEST_MESSAGE),
      ...(typeof run === 'number' ? { run } : {}),
    });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    env.log.warn(
      { event: 'daq_log.unwritten', problem: error.message },
      `the DAQ's log was not told: ${message}`,
    );
  }
}

/** The same, without waiting for it. */
export function notifyDaq(
  env: DaqLogEnvironment & Pick<Environment, 'tasks'>,
  priority: LogPriority,
  message: string,
  run?: unknown,
): void {
  env.tasks.start("a line in the DAQ's log", () => tellDaq(env, priority, message, run));
}

/** Names a run to people; its document, if that has no number. */
export function runLabel({ id, number }: Pick<Seen, 'id' | 'number'>): string {
  return typeof number === 'number'
    ? `run ${number}`
    : `document ${boundedLine(idText(id), LONGEST_ID)}`;
}

/** That processing begins, and with what. */
export function startMessage({ host }: Pick<Environment, 'host'>, plan: Plan): string {
  const { run, targets, cores, failures } = plan;
  const again = failures === 0 ? '' : ` again, after ${counted(failures, 'failure')}`;
  return `run ${run} is processed${again} on ${host}: ${targets.join(', ')} with ${counted(cores, 'core')}`;
}
