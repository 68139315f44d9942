import { BSON, type Document } from 'mongodb';

/** Bytes before the body of a message of MongoDB's wire protocol. */
export const HEADER_BYTES = 16;
/** Operation code of commands and their answers. */
export const OP_MSG = 2013;

/** Cuts a stream into wire messages. */
export function wireMessages(each: (message: Buffer) => void): (piece: Buffer) => void {
  let held = Buffer.alloc(0);
  return (piece) => {
    held = Buffer.concat([held, piece]);
    while (held.length >= 4 && held.length >= held.readInt32LE(0)) {
      const length = held.readInt32LE(0);
      each(held.subarray(0, length));
      held = held.subarray(length);
    }
  };
}

/** A server's answer to the request with this id. */
export function answerTo(request: number, answer: Document): Buffer {
  const body = BSON.serialize(answer);
  const message = Buffer.alloc(HEADER_BYTES + 5 + body.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(request, 8);
  message.writeInt32LE(OP_MSG, 12);
  message.set(body, HEADER_BYTES + 5);
  return message;
}

/** Operation codes of the handshake of old: a query, and its answer. */
export const OP_QUERY = 2004;
const OP_REPLY = 1;

/** The command in a message, as BSON. */
export function commandOf(message: Buffer): Buffer {
  const flagsEnd = HEADER_BYTES + 4;
  // After the name of the collection, which ends with a zero, come two numbers.
  const at =
    message.readInt32LE(12) === OP_QUERY ? message.indexOf(0, flagsEnd) + 1 + 8 : flagsEnd + 1;
  return message.subarray(at, at + message.readInt32LE(at));
}

/** The answer to a query of the handshake. */
export function replyTo(request: number, answer: Document): Buffer {
  const body = BSON.serialize(answer);
  const message = Buffer.alloc(HEADER_BYTES + 20 + body.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(request, 8);
  message.writeInt32LE(OP_REPLY, 12);
  message.writeInt32LE(1, HEADER_BYTES + 16);
  message.set(body, HEADER_BYTES + 20);
  return message;
}
