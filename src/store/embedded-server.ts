import type { ProcessIdentity } from '../domain/attempt.ts';

export interface EmbeddedOptions {
  /** Python interpreter of the environment that SecantusDB is installed in. */
  python: string;
  /** Data goes to `db/data` below it, the server's log to `db/log.txt`. */
  stateDir: string;
  /** Null: any free one. */
  port: number | null;
  /** The server's test-only commands (fail points). Tests only. */
  testCommands?: boolean;
}

export interface EmbeddedServer {
  url: string;
  identity: ProcessIdentity;
  dataDirectory: string;
}

/** The running server of this state directory, or null. Does not start one. */
export declare function findEmbedded(stateDir: string): Promise<EmbeddedServer | null>;

/** Finds the running server or starts one in its own session; returns when it answers. */
export declare function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer>;

/** Stops it and waits until it is gone; false if none was running. Never signals a stranger. */
export declare function stopEmbedded(stateDir: string): Promise<boolean>;
