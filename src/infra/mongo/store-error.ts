import { constants } from 'node:os';
import {
  BSON,
  MongoBulkWriteError,
  MongoCompatibilityError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';

import { boundedLine } from '../values/bounded.pure.ts';
import { withoutSecretOptions } from '../values/url-secrets.pure.ts';

/**
 * - unreachable: no answer in time, no connection, no primary, or a refusal for now; try again later
 * - unauthorized: the server refuses the credentials or a privilege; waiting does not help
 * - unsupported: the server does not know what it is asked for: too old, or of another make; nor this
 * - unclear: the server answered with an error that is not known here; what was asked may be asked again
 * - unfit: a document cannot be written as it would have to be, for its size, names, depth, keys or a
 *   validation of the site's; for good, and it concerns that document alone
 * - refused: by this program itself, which must not do that: a mistake of ours
 */
export type StoreErrorKind =
  'unreachable' | 'unauthorized' | 'unsupported' | 'unclear' | 'unfit' | 'refused';

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

/** A server may quote a whole document; characters. */
const LONGEST_MESSAGE = 2000;

const UNAUTHORIZED = new Set([11, 13, 18, 334, 391, 8000]);

/** No such command, stage or operator; not on this kind of server; not implemented. */
const UNSUPPORTED = new Set([59, 115, 168, 238, 303, 40324, 40573]);

/** Too large, too deep, a name or a value that cannot be kept, a key that is there, a validation. */
const UNFIT = new Set([
  15, 22, 52, 56, 57, 66, 121, 10003, 10334, 11000, 11001, 12582, 17280, 17419, 17420,
]);

/** Elections, shutdowns and lost peers, of servers that do not label them. */
const TRANSIENT = new Set([
  6, 7, 24, 43, 46, 50, 89, 91, 112, 133, 134, 175, 189, 202, 237, 262, 9001, 10058, 10107, 11600,
  11601, 11602, 13388, 13435, 13436,
]);

/** By which a server says of an error of any code that the same may be asked again. */
const NOT_NOW = [
  'RetryableWriteError',
  'TransientTransactionError',
  'ResumableChangeStreamError',
  'RetryableError',
  'SystemOverloadedError',
];
const NO_WRITES = 'NoWritesPerformed';

/** The server's own disk is full: it will take writes again, but not a moment later. */
const OUT_OF_DISK_SPACE = 14031;
/** What to do about a server that the driver does not speak to. */
const NEEDS = 'this program needs MongoDB 4.4 or newer: update the server';
/** Of a write concern: `wtimeout`. */
const WAITED_TOO_LONG = 64;
/** No such collection: asked again it is not there either. */
const NAMESPACE_NOT_FOUND = 26;

function ofDriver(error: MongoError, text: string, says: string): StoreError {
  if (error instanceof MongoServerSelectionError) return new StoreError('unreachable', text);
  if (error instanceof MongoWriteConcernError) return unconfirmed(error, text);
  if (error instanceof MongoNetworkError || error instanceof MongoTopologyClosedError) {
    return new StoreError('unreachable', text, { uncertain: true, transient: true });
  }
  if (error instanceof MongoServerError || error instanceof MongoBulkWriteError) {
    return answered(error, text);
  }
  if (error instanceof MongoParseError) return new StoreError('refused', text);
  if (error instanceof MongoInvalidArgumentError) {
    return new StoreError(/larger than the maximum/.test(says) ? 'unfit' : 'refused', text);
  }
  return new StoreError('unreachable', text, { uncertain: true });
}

/** What a driver error means for the caller. `operation` says what was tried, for the message. */
export function toStoreError(error: unknown, operation: string, database: string): StoreError {
  if (error instanceof StoreError) return error;
  const says = boundedLine(withoutCredentials(messageOf(error)), LONGEST_MESSAGE);
  const text = unreachableInWords(says, database) ?? `${operation} (${database} database): ${says}`;
  if (isAuthentication(error) || isAuthentication(causeOf(error))) {
    return new StoreError('unauthorized', text, { code: codeOf(error) });
  }
  if (isCompatibility(error) || isCompatibility(causeOf(error))) {
    return new StoreError('unsupported', `${text}; ${NEEDS}`);
  }
  if (error instanceof MongoError) return ofDriver(error, text, says);
  // The driver could not encode it: an odd name or value, too large or too deep.
  if (BSON.BSONError.isBSONError(error) || error instanceof RangeError) {
    return new StoreError('unfit', text);
  }
  if (isOfConnection(error)) {
    return new StoreError('unreachable', text, { uncertain: true, transient: true });
  }
  return new StoreError('refused', text);
}

/** The two reasons that a person meets most often, in words; null for all others. */
function unreachableInWords(says: string, database: string): string | null {
  const [, address] = /ECONNREFUSED (\S+)/.exec(says) ?? [];
  if (address !== undefined) {
    return `cannot reach the ${database} database at ${address}: connection refused`;
  }
  const [, host] = /(?:ENOTFOUND|EAI_AGAIN) (\S+)/.exec(says) ?? [];
  return host === undefined
    ? null
    : `cannot reach the ${database} database: the name ${host} cannot be resolved`;
}

/** The server gave an error as its answer: by its labels, and by the few codes that say enough. */
function answered(error: MongoServerError | MongoBulkWriteError, text: string): StoreError {
  const code = codeOf(error);
  const is = (codes: ReadonlySet<number>) => code !== null && codes.has(code);
  const uncertain = !error.hasErrorLabel(NO_WRITES);
  if (NOT_NOW.some((label) => error.hasErrorLabel(label)) || is(TRANSIENT)) {
    return new StoreError('unreachable', text, { uncertain, transient: true, code });
  }
  if (code === OUT_OF_DISK_SPACE) return new StoreError('unreachable', text, { uncertain, code });
  if (is(UNSUPPORTED)) return new StoreError('unsupported', text, { code });
  if (is(UNFIT)) return new StoreError('unfit', text, { code });
  const transient = code !== NAMESPACE_NOT_FOUND;
  return new StoreError('unclear', text, { uncertain, transient, code });
}

/** Written on the primary, but not known to be kept by as many members as were asked for. */
function unconfirmed(error: MongoWriteConcernError, text: string): StoreError {
  const code = codeOf(error);
  const says =
    code === WAITED_TOO_LONG
      ? `${text}; it is written, but waits for replication: too few members of the replica set confirm it, see rs.status()`
      : text;
  return new StoreError('unreachable', says, { uncertain: true, code });
}

function codeOf(error: unknown): number | null {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' ? code : null;
}

function causeOf(error: unknown): unknown {
  return error instanceof MongoError ? error.cause : null;
}

function isAuthentication(error: unknown): boolean {
  return error instanceof MongoServerError && UNAUTHORIZED.has(codeOf(error) ?? -1);
}

function isCompatibility(error: unknown): boolean {
  return error instanceof MongoCompatibilityError;
}

/** Node's own words for a stream, a socket or a handshake that ended at the wrong moment. */
const NODE_CONNECTION = /^ERR_(STREAM|SOCKET|TLS|SSL|OPENSSL)_/;

/**
 * Of the system or of Node: a name that cannot be looked up, a connection that the server closes while
 * it is written to. The driver passes some of them on as they are, not all with a system call.
 */
function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string') return false;
  const isOfSystem = typeof syscall === 'string' || Object.hasOwn(constants.errno, code);
  return isOfSystem || NODE_CONNECTION.test(code);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Strikes out `user:password@` and secret options wherever an address may have carried it into a message. */
export function withoutCredentials(text: string): string {
  return withoutSecretOptions(text.replace(/(mongodb(?:\+srv)?:\/\/)[^/\s]*@/g, '$1***@'));
}
