import type { ChildProcess } from 'node:child_process';

import { monotonicMs, systemClock } from '../../infra/clock/clock.ts';
import { comesTrue } from '../../infra/concurrency/comes-true.ts';
import type { Repeated, Tasks } from '../../infra/concurrency/tasks.ts';
import type { ProcessIdentity } from '../../infra/linux/process-identity.pure.ts';
import { isAlive, signalProcess } from '../../infra/linux/process-identity.ts';
import type { ManagerMessage, ServerMessage } from '../attempt.pure.ts';
import { findServer } from './find-server.ts';
import {
  type Forked,
  type ForkServerListener,
  type ForkServerState,
  NotStartedError,
  UnansweredError,
} from './fork-server-answers.ts';
import type { ForkServerOptions } from './fork-server-options.ts';
import type { ServerLink } from './server-link.ts';
import { spawnServer } from './spawn-server.ts';
import { backoffSeconds, CONTEXT_RETRY_SECONDS, HEALTHY_SECONDS } from './worker-restart.ts';
import type { WorkerTerms } from './worker-terms.pure.ts';
import { workerTerms } from './worker-terms.ts';

/** The server in use. */
interface Running {
  link: ServerLink;
  /** Null until it has said so. */
  identity: ProcessIdentity | null;
  /** Null: an earlier manager has started it. */
  child: ChildProcess | null;
}

interface Request {
  message: Extract<ManagerMessage, { type: 'fork' }>;
  sent: boolean;
  timer: Repeated | null;
  resolve: (forked: Forked) => void;
  reject: (error: Error) => void;
}

/** A server that does not answer within this time is stuck: it forks within milliseconds. */
const ANSWER_SECONDS = 60;
/** A server whose connection has ended is gone by then, seconds, or does not end. */
const DEATH_SECONDS = 2;
const LOOK_MS = 10;

/**
 * The manager's end of the Python fork server: finds the one that an earlier manager has left or
 * starts one, does so again when it dies, and turns requests into started attempts. Attempts do not
 * depend on it once they run, and it does not depend on this manager.
 */
export class ForkServer {
  readonly #options: ForkServerOptions;
  readonly #tasks: Tasks;
  readonly #listener: ForkServerListener;
  readonly #requests = new Map<string, Request>();
  readonly #waiting = new Set<() => void>();
  #state: ForkServerState = starting();
  #running: Running | null = null;
  #finding = false;
  #versions: Readonly<Record<string, string>> = {};
  #ready = false;
  #readyAtMs = 0;
  #readySeconds = 0;
  /** Why the server ends, where it has said so. */
  #failure: string | null = null;
  #restartWanted = false;
  #deaths = 0;
  #restart: Repeated | null = null;

  constructor(options: ForkServerOptions, tasks: Tasks, listener: ForkServerListener = {}) {
    this.#options = options;
    this.#tasks = tasks;
    this.#listener = listener;
  }

  /** Version of each package that makes the data, as the worker last reported them. */
  get versions(): Readonly<Record<string, string>> {
    return this.#versions;
  }

  get state(): ForkServerState {
    return this.#state;
  }

  /** Calls `listener` each time the state has changed; answers how to stop that. */
  onChange(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => this.#waiting.delete(listener);
  }

  /** Pid of the running server, for `status` and tests. */
  get pid(): number | null {
    return this.#running?.identity?.pid ?? this.#running?.child?.pid ?? null;
  }

  /** Finds or starts the server; returns at once, the state tells how it goes. */
  start(): void {
    if (this.#state.kind === 'closed' || this.#running !== null || this.#finding) return;
    this.#clearRestart();
    this.#ready = false;
    this.#failure = null;
    this.#finding = true;
    this.#tasks.start('the search for a worker', () => this.#findOrSpawn());
  }

  /** Ends the running server and starts a new one at once, e.g. after calibration files changed. */
  restart(): void {
    this.#deaths = 0;
    if (this.#running === null) {
      this.#setState(starting());
      this.start();
      return;
    }
    this.#restartWanted = true;
    signalServer(this.#running, 'SIGTERM');
  }

  /**
   * Starts the attempt of this directory; waits while the server gets ready. Rejects with
   * NotStartedError when there is certainly no process, UnansweredError when there may be one.
   */
  fork(attempt: string, directory: string): Promise<Forked> {
    return new Promise((resolve, reject) => {
      const state = this.#state;
      if (state.kind === 'closed') {
        reject(new NotStartedError('the worker is closed'));
      } else if (state.kind === 'failed') {
        reject(new NotStartedError(state.summary));
      } else if (this.#requests.has(attempt)) {
        reject(new NotStartedError(`attempt ${attempt} was asked for twice`));
      } else {
        const message = { type: 'fork' as const, attempt, directory };
        const request = { message, sent: false, timer: null, resolve, reject };
        this.#requests.set(attempt, request);
        if (this.#ready) this.#sendRequest(request);
      }
    });
  }

  /**
   * Lets go of the server, which waits for another manager; attempts go on. Afterwards nothing here
   * keeps the event loop alive.
   */
  close(): void {
    if (this.#state.kind === 'closed') return;
    this.#setState({ kind: 'closed' });
    this.#clearRestart();
    this.#rejectAll('the worker was closed');
    const server = this.#running;
    this.#running = null;
    if (server === null) return;
    server.link.close();
    server.child?.removeAllListeners('close');
    server.child?.unref();
  }

  async #findOrSpawn(): Promise<void> {
    const terms = workerTerms(this.#options);
    try {
      const found = await findServer(this.#options.serversDirectory, terms, (note) => {
        this.#note(note);
      });
      if (this.#isClosed()) found?.link.close();
      else if (found === null) this.#spawn(terms);
      else {
        const { link, hello } = found;
        const server = { link, identity: hello.identity, child: null };
        this.#running = server;
        this.#handle(hello);
        this.#listen(server);
      }
    } catch (error) {
      this.#fail(`the worker cannot be started: ${String(error)}`, backoffSeconds(++this.#deaths));
    } finally {
      this.#finding = false;
    }
  }

  #isClosed(): boolean {
    return this.#state.kind === 'closed';
  }

  #spawn(terms: WorkerTerms): void {
    const { child, link, problem } = spawnServer(this.#options, terms);
    const server = { link, identity: null, child };
    this.#running = server;
    this.#listen(server);
    child.once('close', (code, signal) => {
      if (this.#running !== server) return;
      this.#running = null;
      this.#ended(
        problem() ??
          `the fork server ended unexpectedly (${signal ?? `exit code ${code}`}), see ${this.#options.logFile}`,
      );
    });
  }

  #listen(server: Running): void {
    server.link.listen({
      onMessage: (message) => {
        if (this.#running === server) this.#handle(message);
      },
      onUnreadable: (problem) => {
        this.#note(`a line of the fork server is not understood: ${problem}`);
      },
      onEnd: () => this.#tasks.start('the end of a worker', () => this.#linkEnded(server)),
    });
  }

  async #linkEnded(server: Running): Promise<void> {
    const lives = () =>
      server.identity === null ? server.child?.exitCode === null : isAlive(server.identity);
    const checks = { withinSeconds: DEATH_SECONDS, everySeconds: LOOK_MS / 1000 };
    await comesTrue(systemClock, checks, () => this.#running !== server || !lives());
    if (server.child !== null && !lives()) {
      // Its exit code tells more, and is on its way.
      await systemClock.sleep(DEATH_SECONDS);
    }
    if (this.#running !== server) return;
    this.#running = null;
    const pid = server.identity?.pid ?? server.child?.pid ?? 0;
    if (!lives()) {
      this.#ended(`the fork server (pid ${pid}) ended, see ${this.#options.logFile}`);
    } else if (this.#failure !== null) {
      this.#fail(this.#failure, CONTEXT_RETRY_SECONDS);
    } else {
      this.#lost(`the connection to the fork server (pid ${pid}) was lost`);
    }
  }

  /** It lives, and gives the same answer when it is asked again. */
  #lost(what: string): void {
    this.#ready = false;
    for (const request of this.#requests.values()) {
      request.sent = false;
      request.timer?.stop();
    }
    const seconds = backoffSeconds(++this.#deaths);
    this.#note(`${what}: tried again in ${seconds} s`);
    this.#setState(starting());
    this.#restartIn(seconds);
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        this.#versions = message.versions;
        if (this.#running !== null) this.#running.identity = message.identity;
        return;
      case 'graph':
        this.#listener.onGraph?.(message.graph);
        return;
      case 'ready':
        this.#becomeReady(message);
        return;
      case 'context_failed':
        this.#failure = message.summary;
        return;
      case 'replaced':
        this.#failure = 'another manager has taken the worker over';
        return;
      case 'forked':
        this.#noteTemperature(message);
        this.#take(message.attempt)?.resolve({
          guardian: message.guardian,
          warm: message.warm,
          why: message.why,
        });
        return;
      case 'refused':
        this.#take(message.attempt)?.reject(
          new NotStartedError(`the worker refused attempt ${message.attempt}: ${message.reason}`),
        );
        return;
      case 'ended':
        this.#listener.onEnded?.(message.attempt);
        return;
    }
  }

  #becomeReady({ warm, seconds, why }: Extract<ServerMessage, { type: 'ready' }>): void {
    this.#ready = true;
    this.#readyAtMs = monotonicMs(systemClock);
    this.#readySeconds = seconds;
    this.#setState(
      warm
        ? { kind: 'warm', seconds, kept: this.#running?.child === null }
        : { kind: 'cold', why: why ?? 'the worker does not say why' },
    );
    for (const request of this.#requests.values()) this.#sendRequest(request);
  }

  /** A thread may linger in the server for a while: the state says what the last start was. */
  #noteTemperature({ warm, why }: { warm: boolean; why: string | null }): void {
    if (this.#state.kind === 'warm' && !warm) {
      this.#setState({ kind: 'cold', why: why ?? 'the worker does not say why' });
    } else if (this.#state.kind === 'cold' && warm) {
      const kept = this.#running?.child === null;
      this.#setState({ kind: 'warm', seconds: this.#readySeconds, kept });
    }
  }

  #sendRequest(request: Request): void {
    if (request.sent) return;
    request.sent = true;
    this.#running?.link.send(request.message);
    const limit = { name: 'the time limit of a start', seconds: ANSWER_SECONDS };
    request.timer = this.#tasks.after(limit, () => {
      this.#note(`the fork server has not answered for ${ANSWER_SECONDS} s and is started anew`);
      if (this.#running !== null) signalServer(this.#running, 'SIGKILL');
    });
  }

  #take(attempt: string): Request | null {
    const request = this.#requests.get(attempt) ?? null;
    if (request !== null) {
      this.#requests.delete(attempt);
      request.timer?.stop();
    }
    return request;
  }

  #ended(what: string): void {
    const wasReady = this.#ready;
    this.#ready = false;
    for (const { message, sent } of [...this.#requests.values()]) {
      if (sent) this.#take(message.attempt)?.reject(new UnansweredError(what));
    }
    if (this.#restartWanted) {
      this.#restartWanted = false;
      this.#setState(starting());
      this.start();
      return;
    }
    if (this.#failure !== null) {
      this.#fail(this.#failure, CONTEXT_RETRY_SECONDS);
      return;
    }
    const livedSeconds = (monotonicMs(systemClock) - this.#readyAtMs) / 1000;
    this.#deaths = wasReady && livedSeconds > HEALTHY_SECONDS ? 1 : this.#deaths + 1;
    const seconds = backoffSeconds(this.#deaths);
    if (wasReady) {
      // It worked until now: requests wait for the next one.
      this.#note(`${what}; it is started again in ${seconds} s, running attempts go on`);
      this.#setState(starting());
      this.#restartIn(seconds);
    } else {
      this.#fail(what, seconds);
    }
  }

  #fail(summary: string, retrySeconds: number): void {
    this.#setState({ kind: 'failed', summary, retrySeconds });
    this.#rejectAll(summary);
    this.#restartIn(retrySeconds);
  }

  #restartIn(seconds: number): void {
    this.#clearRestart();
    this.#restart = this.#tasks.after({ name: 'the next start of the worker', seconds }, () =>
      this.start(),
    );
  }

  #clearRestart(): void {
    this.#restart?.stop();
    this.#restart = null;
  }

  #rejectAll(reason: string): void {
    for (const { message, sent } of [...this.#requests.values()]) {
      const error = sent ? new UnansweredError(reason) : new NotStartedError(reason);
      this.#take(message.attempt)?.reject(error);
    }
  }

  #setState(state: ForkServerState): void {
    this.#state = state;
    this.#listener.onState?.(state);
    for (const changed of this.#waiting) changed();
  }

  #note(note: string): void {
    this.#listener.onNote?.(note);
  }
}

function starting(): ForkServerState {
  return { kind: 'starting', sinceMs: monotonicMs(systemClock) };
}

function signalServer({ identity, child }: Running, signal: NodeJS.Signals): void {
  if (identity === null) child?.kill(signal);
  else signalProcess(identity, signal);
}
