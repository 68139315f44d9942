import {
  MongoBulkWriteError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';

/**
 * - unreachable: no answer in time, no connection, or no primary; try again later
 * - unauthorized: the server refused the credentials or a privilege
 * - refused: the server understood and said no (operator, document size, not allowed here)
 */
export type StoreErrorKind = 'unreachable' | 'unauthorized' | 'refused';

interface StoreErrorFlags {
  /** The write may have been, or may yet be, carried out although no answer came. */
  uncertain?: boolean;
  /** Worth an immediate second try. */
  transient?: boolean;
  /** The server's error code, if it gave one. */
  code?: number | null;
}

/** The one error of this subsystem; its message never contains credentials. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  readonly uncertain: boolean;
  readonly transient: boolean;
  readonly code: number | null;

  constructor(kind: StoreErrorKind, message: string, flags: StoreErrorFlags = {}) {
    super(message);
    this.kind = kind;
    this.uncertain = flags.uncertain ?? false;
    this.transient = flags.transient ?? false;
    this.code = flags.code ?? null;
  }
}

export const DUPLICATE_KEY = 11000;

const UNAUTHORIZED = new Set([13, 18, 8000]);

/** Elections, shutdowns and lost peers: the same call may succeed a moment later. */
const TRANSIENT = new Set([
  6, 7, 24, 43, 46, 50, 89, 91, 112, 133, 134, 175, 189, 202, 237, 262, 9001, 10058, 10107, 11600,
  11601, 11602, 13388, 13435, 13436,
]);

/** The server's own disk is full: it will take writes again, but not a moment later. */
const OUT_OF_DISK_SPACE = 14031;

/** What a driver error means for the caller. `operation` says what was tried, for the message. */
export function toStoreError(error: unknown, operation: string, database: string): StoreError {
  if (error instanceof StoreError) return error;
  const text = `${operation} (${database} database): ${withoutCredentials(messageOf(error))}`;
  if (error instanceof MongoServerSelectionError) {
    return isAuthentication(error.cause)
      ? new StoreError('unauthorized', text)
      : new StoreError('unreachable', text);
  }
  if (error instanceof MongoWriteConcernError) {
    return new StoreError('unreachable', text, { uncertain: true, code: codeOf(error) });
  }
  if (error instanceof MongoNetworkError || error instanceof MongoTopologyClosedError) {
    return isAuthentication(error.cause)
      ? new StoreError('unauthorized', text)
      : new StoreError('unreachable', text, { uncertain: true, transient: true });
  }
  if (isAuthentication(error)) {
    return new StoreError('unauthorized', text, { code: codeOf(error) });
  }
  if (error instanceof MongoServerError || error instanceof MongoBulkWriteError) {
    const code = codeOf(error);
    if ((code !== null && TRANSIENT.has(code)) || error.hasErrorLabel('RetryableWriteError')) {
      return new StoreError('unreachable', text, { uncertain: true, transient: true, code });
    }
    if (code === OUT_OF_DISK_SPACE) {
      return new StoreError('unreachable', text, { uncertain: true, code });
    }
    return new StoreError('refused', text, { code });
  }
  if (error instanceof MongoParseError || error instanceof MongoInvalidArgumentError) {
    return new StoreError('refused', text);
  }
  if (error instanceof MongoError) return new StoreError('unreachable', text, { uncertain: true });
  return new StoreError('refused', text);
}

function codeOf(error: unknown): number | null {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' ? code : null;
}

function isAuthentication(error: unknown): boolean {
  return error instanceof MongoServerError && UNAUTHORIZED.has(codeOf(error) ?? -1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Strikes out `user:password@` wherever an address may have carried it into a message. */
export function withoutCredentials(text: string): string {
  return text.replace(/(mongodb(?:\+srv)?:\/\/)[^/\s]*@/g, '$1***@');
}
