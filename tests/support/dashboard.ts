import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { type Lab, PACKAGE, until } from './lab.ts';

/** A dashboard's process as a user would start it. */
export class DashboardProcess {
  /** With a slash at the end. */
  url = '';
  log = '';

  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts `bootstrax dashboard`, by default on any free port. */
  static async start(
    lab: Lab,
    env: Record<string, string> = {},
    port = 0,
  ): Promise<DashboardProcess> {
    const child = spawn(
      process.execPath,
      [join(PACKAGE, 'bin/bootstrax'), 'dashboard', '--port', String(port), '--json'],
      { env: { ...lab.env(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const dashboard = new DashboardProcess(child);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { url } = JSON.parse(line) as { url?: string };
      if (url !== undefined) dashboard.url = url;
    });
    child.stderr.on('data', (piece: Buffer) => (dashboard.log += piece.toString()));
    await until('the dashboard to listen', () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${dashboard.log}`);
      return dashboard.url !== '';
    });
    return dashboard;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(new URL(path, this.url), { headers });
  }

  async json<T>(path: string): Promise<T> {
    const answer = await this.get(path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}

export interface StreamedEvent {
  event: string;
  id: string | null;
  data: unknown;
}

/** Reads server-sent events until told to stop. */
export class EventReader {
  readonly events: StreamedEvent[] = [];
  readonly #abort = new AbortController();

  hasEnded = false;

  constructor(url: URL, lastEventId?: string, headers: Record<string, string> = {}) {
    void this.#read(url, lastEventId, headers)
      .catch(() => undefined)
      .finally(() => (this.hasEnded = true));
  }

  /** The first event that fits, from number `from` on. */
  async next(
    what: string,
    fits: (event: StreamedEvent) => boolean,
    from = 0,
  ): Promise<StreamedEvent> {
    return until(what, () => this.events.slice(from).find(fits));
  }

  stop(): void {
    this.#abort.abort();
  }

  async #read(url: URL, lastEventId: string | undefined, sent: Record<string, string>) {
    const last: Record<string, string> =
      lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const answer = await fetch(url, {
      ...{ signal: this.#abort.signal, headers: { ...sent, ...last } },
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(piece, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const field = (name: string) =>
      block
        .split('\n')
        .filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trimStart())
        .join('\n');
    const data = field('data');
    if (field('event') === '') return;
    this.events.push({
      event: field('event'),
      id: field('id') || null,
      data: data === '' ? null : JSON.parse(data),
    });
  }
}
