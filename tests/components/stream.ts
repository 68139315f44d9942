import type { PanelName, StatusEvent } from '../../src/readmodel/panels/registry.ts';

export const NOW = '2026-03-01T12:00:00Z';

/** The server's stream of events: the test says what it sends. */
export class Stream extends EventTarget {
  static readonly CLOSED = 2;
  static last: Stream;
  readyState = 1;

  constructor(readonly url: string) {
    super();
    Stream.last = this;
  }

  close(): void {
    this.readyState = Stream.CLOSED;
  }

  send(type: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }));
  }

  /** The content of a panel, read just now. */
  tells(panel: PanelName, data: unknown, status: Partial<StatusEvent> = {}): void {
    this.send('panel', { panel, data, staleAfterSeconds: 20 });
    const known = { now: NOW, failing: {}, ages: { [panel]: 0 }, away: null };
    this.send('status', { ...known, ...status });
  }
}
