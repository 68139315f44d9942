import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A process that is asked to end has this time. */
const GRACE_SECONDS = 5;

/** A process of the demo, with its output in a file of its own. */
export class DemoProcess {
  readonly name: string;
  readonly log: string;
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  #failure: Error | null = null;

  /**
   * Starts it in a session of its own, so that Ctrl-C reaches the demo alone, which then ends the
   * others in their order.
   */
  constructor(name: string, argv: readonly string[], env: NodeJS.ProcessEnv, log: string) {
    this.name = name;
    this.log = log;
    const file = openSync(log, 'w');
    const [command = '', ...rest] = argv;
    this.#child = spawn(command, rest, { stdio: ['ignore', file, file], detached: true, env });
    closeSync(file);
    this.#child.once('error', (error) => {
      this.#failure = error;
    });
    this.#gone = once(this.#child, 'exit').catch(() => undefined);
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Its exit code (1 for a signal), or null while it runs. */
  get exitCode(): number | null {
    if (this.#failure !== null) return 1;
    return this.#child.exitCode ?? (this.#child.signalCode === null ? null : 1);
  }

  /** What it wrote last. */
  lastLines(count: number): string {
    const text = this.#failure?.message ?? readFileSync(this.log, 'utf8').trimEnd();
    return text.split('\n').slice(-count).join('\n');
  }

  /** TERM, and KILL if that does not help. */
  async end(): Promise<void> {
    if (this.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_SECONDS * 1000);
    await this.#gone;
    clearTimeout(timer);
  }
}
