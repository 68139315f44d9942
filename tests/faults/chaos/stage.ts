import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { serversOnDisk } from '../../../src/attempt/worker/servers-on-disk.ts';
import { workersPath } from '../../../src/infra/config/paths.ts';
import type { ProcessIdentity } from '../../../src/infra/linux/process-identity.pure.ts';
import { isAlive } from '../../../src/infra/linux/process-identity.ts';
import {
  type EmbeddedServer,
  findEmbedded,
  startEmbedded,
} from '../../../src/infra/mongo/embedded/embedded-server.ts';
import { StoreError } from '../../../src/infra/mongo/store-error.ts';
import { type Lab, type ManagerProcess, PYTHON, until } from '../../support/lab.ts';

/** Short, so that many of them pass in a minute; seconds. */
export const LEASE_SECONDS = 6;
const CRASHED_PAUSE_SECONDS = 1;

const CHAOS_LIMITS = {
  BOOTSTRAX_LIMITS_BUSY_LEASE_SECONDS: String(LEASE_SECONDS),
  BOOTSTRAX_LIMITS_CONSIDERING_LEASE_SECONDS: String(LEASE_SECONDS),
  BOOTSTRAX_LIMITS_HOUSEKEEPING_SECONDS: '2',
  BOOTSTRAX_POLL_SECONDS: '1',
  BOOTSTRAX_DATABASE_CALL_TIMEOUT_SECONDS: '5',
};

/** An attempt on disk that is not concluded. */
export interface OpenAttempt {
  attempt: string;
  /** Null: it has no readable plan. */
  run: number | null;
  guardian: ProcessIdentity | null;
  child: ProcessIdentity | null;
}

/** One event builder: its manager is started again whenever it ends, as systemd does. */
export class Host {
  readonly managers: ManagerProcess[] = [];
  /** What its managers should not have done. */
  readonly problems: string[] = [];
  readonly output: string;
  #current: ManagerProcess | null = null;
  readonly #expected = new Set<ManagerProcess>();
  /** It is to have no manager for now. */
  #away = false;

  constructor(
    readonly lab: Lab,
    readonly name: string,
    /** Settings by variable. */
    readonly settings: Record<string, string> = CHAOS_LIMITS,
  ) {
    this.output = join(lab.root, `out-${name}`);
  }

  /** Folders that its attempts have begun, and not published. */
  inWork(): string[] {
    const staging = `${this.output}.staging`;
    return namesIn(staging).flatMap((place) => namesIn(join(staging, place)));
  }

  get stateDir(): string {
    return this.lab.stateDir(this.name);
  }

  /** The running manager; null while there is none. */
  get manager(): ManagerProcess | null {
    return this.#current;
  }

  /** Starts a manager; one that runs is replaced by it. */
  async start(): Promise<ManagerProcess> {
    this.#away = false;
    await mkdir(this.output, { recursive: true });
    const manager = await this.lab.manager({
      host: this.name,
      env: { BOOTSTRAX_OUTPUT: this.output, ...this.settings },
    });
    this.managers.push(manager);
    if (this.#current !== null) this.#expected.add(this.#current);
    this.#current = manager;
    void manager.exited.then((code) => this.#ended(manager, code));
    return manager;
  }

  /** Sends a signal that ends the manager; answers once it is gone, without starting another. */
  async endManager(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#away = true;
    const running = this.managers.filter(runs);
    for (const manager of running) this.#expected.add(manager);
    await Promise.all(running.map((manager) => manager.kill(signal)));
  }

  /** Those that run, with or without a manager. */
  forkServers(): ProcessIdentity[] {
    return serversOnDisk(workersPath(this.stateDir)).map(({ identity }) => identity);
  }

  openAttempts(): OpenAttempt[] {
    return openAttemptsIn(this.stateDir);
  }

  #ended(manager: ManagerProcess, code: number | null): void {
    const current = this.#current === manager;
    // Of two that start at the same time either may end the other.
    const other = this.managers.findLast((each) => each !== manager && runs(each)) ?? null;
    if (current) this.#current = other;
    if (this.#current === null && !this.#away) void this.#startAgain();
    if (this.#expected.has(manager) || (code === 0 && other !== null)) return;
    const said = manager.lines.at(-1)?.['msg'];
    this.problems.push(
      `a manager of ${this.name} ended by itself (${code}): ${typeof said === 'string' ? said : manager.text}`,
    );
  }

  async #startAgain(): Promise<void> {
    await delay(CRASHED_PAUSE_SECONDS * 1000);
    if (this.#current === null && !this.#away) await this.start();
  }
}

/** Attempts of a state folder that are not concluded, with what runs of them. */
export function openAttemptsIn(stateDir: string): OpenAttempt[] {
  const root = join(stateDir, 'attempts');
  return namesIn(root)
    .filter((name) => /^[0-9a-f]{24}$/.test(name))
    .filter((name) => !namesIn(join(root, name)).includes('concluded'))
    .map((attempt) => {
      const plan = readJson<{ run: number }>(join(root, attempt, 'plan.json'));
      const started = readJson<{ guardian: ProcessIdentity; child: ProcessIdentity }>(
        join(root, attempt, 'started.json'),
      );
      return {
        attempt,
        run: plan?.run ?? null,
        guardian: living(started?.guardian),
        child: living(started?.child),
      };
    });
}

function runs({ child }: ManagerProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** The embedded server of a laboratory, to be killed, stopped and started again. */
export class Database {
  readonly #stateDir: string;
  /** One thing is done to it at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(lab: Lab) {
    this.#stateDir = join(lab.root, 'database');
  }

  /** `kill -9`; started again on the same port and data after the pause. */
  async killed(pauseSeconds: number): Promise<void> {
    await this.#alone(async ({ identity, url }) => {
      process.kill(identity.pid, 'SIGKILL');
      await delay(pauseSeconds * 1000);
      const options = { python: PYTHON, stateDir: this.#stateDir, port: Number(new URL(url).port) };
      // A busy machine may lend the port to somebody's connection meanwhile, or start nothing in time.
      await until('the database on its port again', () =>
        startEmbedded(options).catch((error: unknown) => {
          if (error instanceof StoreError) return null;
          throw error;
        }),
      );
    });
  }

  /** Stands still for so long. */
  async stopped(seconds: number): Promise<void> {
    await this.#alone(async ({ identity }) => {
      process.kill(identity.pid, 'SIGSTOP');
      await delay(seconds * 1000);
      process.kill(identity.pid, 'SIGCONT');
    });
  }

  async pid(): Promise<number | null> {
    return (await findEmbedded(this.#stateDir))?.identity.pid ?? null;
  }

  async #alone(work: (server: EmbeddedServer) => Promise<void>): Promise<void> {
    const mine = this.#last.then(async () => {
      const server = await findEmbedded(this.#stateDir);
      if (server === null) throw new Error('the database server ended by itself');
      await work(server);
    });
    this.#last = mine.catch(() => undefined);
    await mine;
  }
}

export function childrenOf(pid: number): number[] {
  return namesIn(`/proc/${pid}/task`).flatMap((task) =>
    readText(`/proc/${pid}/task/${task}/children`)
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );
}

function living(identity: ProcessIdentity | undefined): ProcessIdentity | null {
  return identity !== undefined && isAlive(identity) ? identity : null;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readText(file)) as T;
  } catch {
    return null;
  }
}
