import type { ProcessIdentity } from '../domain/attempt.ts';

/** What makes two managers the same one: only one per key may run on a machine. */
export interface MachineKey {
  host: string;
  /** Name of the abstract socket, without its leading NUL. */
  socketName: string;
  /** Readable by the manager's user only: proves to the manager that a request is its owner's. */
  tokenFile: string;
}

/** Requests to the running manager. */
export type ControlRequest =
  { type: 'process'; run: number } | { type: 'stop_children' } | { type: 'status' };

/** Answer to a control request; further fields depend on the request. */
export interface ControlResponse {
  ok: boolean;
  /** One sentence for a person. */
  message: string;
  [field: string]: unknown;
}

export interface LockOptions {
  /** Answers requests of `askManager`; an exception becomes `ok: false` with its message. */
  onControl: (request: ControlRequest) => Promise<ControlResponse>;
  /** Another instance wants the lock: end this process soon, the children stay. */
  onEnd: () => void;
  /** How long the holder may take to end before it is killed, seconds; 3. */
  graceSeconds?: number;
}

export interface MachineLock {
  /** The instance that was ended for this lock, if there was one. */
  replaced: { holder: ProcessIdentity; how: 'ended' | 'killed' } | null;
  /** Gives the lock up; the end of the process does so too, however it ends. */
  release(): Promise<void>;
}

/**
 * The key of a manager: host and runs database, whoever connects to it and with whatever options.
 */
export function machineKey(_of: {
  host: string;
  /** Connection string; credentials and options do not count. */
  runsUrl: string;
  runsDatabase: string;
  stateDir: string;
}): MachineKey {
  throw new Error('machineKey');
}

/**
 * Makes this process the only manager of its key on this machine. A holder is asked to end, and
 * killed after `graceSeconds`. Throws if the lock cannot be had (holder of another user).
 */
export async function acquireMachineLock(
  _key: MachineKey,
  _options: LockOptions,
): Promise<MachineLock> {
  return Promise.reject(new Error('acquireMachineLock'));
}

/**
 * Asks the manager of this key, if there is one. Throws if it does not answer in time, or if this
 * user may not ask it.
 */
export async function askManager(
  _key: MachineKey,
  _request: ControlRequest,
  _timeoutSeconds: number,
): Promise<ControlResponse | 'no manager'> {
  return Promise.reject(new Error('askManager'));
}
