import { type ChildProcess, spawn } from 'node:child_process';

import type { Background, Repeated } from '../infra/concurrency/tasks.ts';

/** Interval in seconds at which the manager is read: READY and STATUS are sent with this delay. */
const LOOK_SECONDS = 1;
/** Pings in a watchdog interval: two of them may be late or lost. */
const PINGS = 3;
/** Before the manager is ready, each ping asks for this much more time. */
const START_SECONDS = 30;

/** What the service manager is told of. */
export interface ServiceView {
  ready: boolean;
  /** One line. */
  status: string;
}

export interface ServiceNoticesOptions extends Background {
  environment: NodeJS.ProcessEnv;
  python: string;
  /** Path of `notifier.py`. */
  notifier: string;
  view: () => ServiceView;
  onProblem: (problem: string) => void;
}

/**
 * Tells systemd that the manager is ready, what it does, and, from a timer of the event loop, that
 * it is alive: when the loop hangs, the pings stop, and systemd ends the process and starts a new
 * one (`Type=notify`, `WatchdogSec=`). Does nothing where no service manager listens. Takes its
 * variables out of the environment, since what a child says must not count as said by the manager.
 */
export function startServiceNotices(options: ServiceNoticesOptions): { stop: () => void } {
  const { environment } = options;
  const socket = environment['NOTIFY_SOCKET'] ?? '';
  const watchdogSeconds = watchdogOf(environment);
  delete environment['NOTIFY_SOCKET'];
  delete environment['WATCHDOG_USEC'];
  delete environment['WATCHDOG_PID'];
  if (socket === '') return { stop: () => undefined };
  const notices = new ServiceNotices(options, socket, watchdogSeconds);
  return { stop: () => notices.stop() };
}

/** Seconds within which systemd wants to hear from this process; null if it does not. */
function watchdogOf(environment: NodeJS.ProcessEnv): number | null {
  const microseconds = Number(environment['WATCHDOG_USEC'] ?? 0);
  const pid = environment['WATCHDOG_PID'];
  const meant = pid === undefined || Number(pid) === process.pid;
  return meant && microseconds > 0 ? microseconds / 1e6 : null;
}

class ServiceNotices {
  readonly #options: ServiceNoticesOptions;
  readonly #socket: string;
  readonly #pingSeconds: number;
  readonly #watchdog: boolean;
  readonly #timer: Repeated;
  #helper: ChildProcess | null = null;
  #pingedAt = -Infinity;
  #ready = false;
  #status = '';

  constructor(options: ServiceNoticesOptions, socket: string, watchdogSeconds: number | null) {
    this.#options = options;
    this.#socket = socket;
    this.#watchdog = watchdogSeconds !== null;
    this.#pingSeconds = Math.min(watchdogSeconds ?? START_SECONDS, START_SECONDS) / PINGS;
    const seconds = Math.min(LOOK_SECONDS, this.#pingSeconds);
    const interval = { name: 'the notices to systemd', seconds };
    this.#timer = options.tasks.every(interval, () => this.#look());
    this.#look();
  }

  stop(): void {
    this.#timer.stop();
    this.#say('STOPPING=1');
    const helper = this.#helper;
    this.#helper = null;
    helper?.stdin?.end();
  }

  #look(): void {
    const { ready, status } = this.#options.view();
    const news = ready && !this.#ready;
    this.#ready = ready;
    if (status !== this.#status) {
      this.#status = status;
      this.#say(`STATUS=${status.replaceAll('\n', ' ')}`);
    }
    const now = this.#options.clock.monotonicSeconds();
    // Half a look early rather than one late.
    if (!news && now - this.#pingedAt < this.#pingSeconds - LOOK_SECONDS / 2) return;
    this.#pingedAt = now;
    // systemd's watchdog begins when the service is ready; until then the other takes its place.
    // Ready is said over and over: the first time may have been lost.
    this.#say(ready ? 'READY=1' : `EXTEND_TIMEOUT_USEC=${START_SECONDS * 1e6}`);
    if (this.#watchdog) this.#say('WATCHDOG=1');
  }

  #say(line: string): void {
    this.#helper ??= this.#startHelper();
    this.#helper.stdin?.write(`${line}\n`);
  }

  #startHelper(): ChildProcess {
    const { python, notifier, onProblem } = this.#options;
    const helper = spawn(python, ['-I', '-S', notifier], {
      env: { NOTIFY_SOCKET: this.#socket },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const gone = (why: string) => {
      if (this.#helper !== helper) return;
      // The next notice starts another one.
      this.#helper = null;
      onProblem(`systemd is not told anything: ${python} ${notifier} ${why}`);
    };
    helper.on('error', (error) => gone(error.message));
    helper.on('exit', (code, signal) => gone(`ended (${code ?? signal})`));
    // A helper that ends while it is written to: told by its exit.
    helper.stdin.on('error', () => undefined);
    return helper;
  }
}
