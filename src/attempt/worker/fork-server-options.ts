export interface ForkServerOptions {
  /** Python interpreter with strax. */
  python: string;
  /** Folder that holds the package `bootstrax_worker`. */
  workerDirectory: string;
  /** Holds the site's own modules, such as its context; null where they are installed. */
  pythonPath: string | null;
  /** Where libraries may keep caches, and the warm-up its data. */
  cacheDirectory: string;
  /** Where fork servers are found again: of this state folder alone. */
  serversDirectory: string;
  /** `module:function` of the strax context, and what it is called with. */
  context: string;
  contextOptions: Record<string, unknown>;
  warmUp: boolean;
  /** An idle server that has seen no manager for this time ends. */
  orphanLimitSeconds: number;
  /** Receives what the server prints. */
  logFile: string;
  /** Environment to start from. */
  environment: NodeJS.ProcessEnv;
}
