import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import type { ManagerMessage, PluginGraph, ServerMessage } from '../attempt.pure.ts';
import type { ProcessIdentity } from '../../infra/linux/process-identity.pure.ts';
import { workerEnvironment } from './worker-environment.ts';
import { readServerLine } from './worker-messages.ts';
import { backoffSeconds, CONTEXT_RETRY_SECONDS, HEALTHY_SECONDS } from './worker-restart.ts';

export interface ForkServerOptions {
  /** Python interpreter with strax. */
  python: string;
  /** Folder that holds the package `bootstrax_worker`. */
  workerDirectory: string;
  /** Holds the site's own modules, such as its context; null where they are installed. */
  pythonPath: string | null;
  /** Where libraries may keep caches, and the warm-up its data. */
  cacheDirectory: string;
  /** `module:function` of the strax context, and what it is called with. */
  context: string;
  contextOptions: Record<string, unknown>;
  warmUp: boolean;
  /** Receives what the server prints on stderr. */
  logFile: string;
  /** Environment to start from. */
  environment: NodeJS.ProcessEnv;
}

export type ForkServerState =
  /** Building and warming the context, since then (monotonic, ms); requests wait. */
  | { kind: 'starting'; sinceMs: number }
  /** Attempts are forked; `seconds` it took to get there. */
  | { kind: 'warm'; seconds: number }
  /** Attempts start as processes of their own, and why. */
  | { kind: 'cold'; why: string }
  /** Nothing can be started here; tried again by itself after `retrySeconds`. */
  | { kind: 'failed'; summary: string; retrySeconds: number }
  | { kind: 'closed' };

/** What the server tells unasked. */
export interface ForkServerListener {
  onState?: (state: ForkServerState) => void;
  onGraph?: (graph: PluginGraph) => void;
  /** A hint that `exit.json` of this attempt is there. */
  onEnded?: (attempt: string) => void;
  /** Something a person should read in the manager's log. */
  onNote?: (note: string) => void;
}

/** An attempt that was started. */
export interface Forked {
  guardian: ProcessIdentity;
  warm: boolean;
  /** Why it started cold, if it did. */
  why: string | null;
}

/** The worker did not start the attempt, and never will. */
export class NotStartedError extends Error {
  override name = 'NotStartedError';
}

/** The server ended between request and answer: the attempt may or may not have been started. */
export class UnansweredError extends Error {
  override name = 'UnansweredError';
}

interface Request {
  message: ManagerMessage;
  sent: boolean;
  timer: NodeJS.Timeout | null;
  resolve: (forked: Forked) => void;
  reject: (error: Error) => void;
}

/** A server that does not answer for so long is stuck, seconds: it forks within milliseconds. */
const ANSWER_SECONDS = 60;

/**
 * The manager's end of the Python fork server: starts it, starts it again when it dies, and turns
 * requests into started attempts. Attempts do not depend on it once they run.
 */
export class ForkServer {
  readonly #options: ForkServerOptions;
  readonly #listener: ForkServerListener;
  readonly #requests = new Map<string, Request>();
  readonly #waiting = new Set<() => void>();
  #state: ForkServerState = starting();
  #process: ChildProcess | null = null;
  #versions: Readonly<Record<string, string>> = {};
  #ready = false;
  #readyAtMs = 0;
  #readySeconds = 0;
  #contextFailure: string | null = null;
  #restartWanted = false;
  #deaths = 0;
  #restartTimer: NodeJS.Timeout | null = null;

  constructor(options: ForkServerOptions, listener: ForkServerListener = {}) {
    this.#options = options;
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
    return this.#process?.pid ?? null;
  }

  /** Starts the server; returns at once, the state tells how it goes. */
  start(): void {
    if (this.#state.kind === 'closed' || this.#process !== null) return;
    this.#clearRestart();
    this.#ready = false;
    this.#contextFailure = null;
    this.#spawn();
  }

  /** Ends the running server and starts a new one at once, e.g. after calibration files changed. */
  restart(): void {
    this.#deaths = 0;
    if (this.#process === null) {
      this.#setState(starting());
      this.start();
      return;
    }
    this.#restartWanted = true;
    this.#process.kill('SIGTERM');
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

  /** Ends the server; attempts go on. Afterwards nothing here keeps the event loop alive. */
  close(): void {
    if (this.#state.kind === 'closed') return;
    this.#setState({ kind: 'closed' });
    this.#clearRestart();
    this.#rejectAll('the worker was closed');
    const server = this.#process;
    this.#process = null;
    if (server === null) return;
    server.removeAllListeners('close');
    server.stdin?.destroy();
    server.stdout?.destroy();
    server.kill('SIGTERM');
    server.unref();
  }

  #spawn(): void {
    const { python, context, contextOptions, warmUp, cacheDirectory, environment } = this.#options;
    mkdirSync(dirname(this.#options.logFile), { recursive: true });
    const log = openSync(this.#options.logFile, 'a');
    const server = spawn(
      python,
      [
        ...['-m', 'bootstrax_worker', 'serve', '--context', context],
        ...['--context-options', JSON.stringify(contextOptions)],
        ...['--scratch', join(cacheDirectory, 'warm-up')],
        ...(warmUp ? [] : ['--no-warm-up']),
      ],
      {
        stdio: ['pipe', 'pipe', log],
        env: workerEnvironment(environment, this.#options),
      },
    );
    closeSync(log);
    this.#process = server;
    let spawnError: Error | null = null;
    server.on('error', (error) => {
      spawnError = error;
    });
    // A server that dies is noticed by its end; what was on the way to it is settled there.
    server.stdin?.on('error', () => undefined);
    if (server.stdout !== null) {
      createInterface({ input: server.stdout }).on('line', (line) => {
        this.#receive(line);
      });
    }
    server.once('close', (code, signal) => {
      if (this.#process !== server) return;
      this.#process = null;
      this.#ended(
        spawnError !== null
          ? `cannot run ${python}: ${spawnError.message}`
          : `the fork server ended unexpectedly (${signal ?? `exit code ${code}`}), see ${this.#options.logFile}`,
      );
    });
  }

  #receive(line: string): void {
    const read = readServerLine(line);
    if (read.kind === 'unreadable') {
      this.#note(`a line of the fork server is not understood: ${read.problem}`);
      return;
    }
    this.#handle(read.message);
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        this.#versions = message.versions;
        return;
      case 'graph':
        this.#listener.onGraph?.(message.graph);
        return;
      case 'ready':
        this.#ready = true;
        this.#readyAtMs = performance.now();
        this.#readySeconds = message.seconds;
        this.#setState(
          message.warm
            ? { kind: 'warm', seconds: message.seconds }
            : { kind: 'cold', why: message.why ?? 'the worker does not say why' },
        );
        for (const request of this.#requests.values()) this.#sendRequest(request);
        return;
      case 'context_failed':
        this.#contextFailure = message.summary;
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

  /** A thread may linger in the server for a while: the state says what the last start was. */
  #noteTemperature({ warm, why }: { warm: boolean; why: string | null }): void {
    if (this.#state.kind === 'warm' && !warm) {
      this.#setState({ kind: 'cold', why: why ?? 'the worker does not say why' });
    } else if (this.#state.kind === 'cold' && warm) {
      this.#setState({ kind: 'warm', seconds: this.#readySeconds });
    }
  }

  #sendRequest(request: Request): void {
    if (request.sent) return;
    request.sent = true;
    this.#process?.stdin?.write(`${JSON.stringify(request.message)}\n`);
    request.timer = setTimeout(() => {
      this.#note(`the fork server has not answered for ${ANSWER_SECONDS} s and is started anew`);
      this.#process?.kill('SIGKILL');
    }, ANSWER_SECONDS * 1000);
  }

  #take(attempt: string): Request | null {
    const request = this.#requests.get(attempt) ?? null;
    if (request !== null) {
      this.#requests.delete(attempt);
      if (request.timer !== null) clearTimeout(request.timer);
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
    if (this.#contextFailure !== null) {
      this.#fail(this.#contextFailure, CONTEXT_RETRY_SECONDS);
      return;
    }
    const livedSeconds = (performance.now() - this.#readyAtMs) / 1000;
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
    this.#restartTimer = setTimeout(() => {
      this.start();
    }, seconds * 1000);
  }

  #clearRestart(): void {
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    this.#restartTimer = null;
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
  return { kind: 'starting', sinceMs: performance.now() };
}
