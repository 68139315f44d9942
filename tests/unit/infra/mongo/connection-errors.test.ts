import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { toStoreError } from '../../../../src/infra/mongo/store-error.ts';

function coded(code: string, more: object = {}): Error {
  return Object.assign(new Error('no words that anybody could know'), { code, ...more });
}

const kindOf = (error: unknown) => toStoreError(error, 'updating bootstrax', 'runs').kind;

describe('an error that the driver passes on as it is', () => {
  it.each([
    ['a write to a socket that the server has ended', coded('EPIPE')],
    ['a handshake that was cut', coded('ECONNRESET')],
    ['a name that cannot be looked up', coded('EAI_AGAIN', { syscall: 'getaddrinfo' })],
    ['a stream that was destroyed', coded('ERR_STREAM_DESTROYED')],
    ['a stream that was ended', coded('ERR_STREAM_WRITE_AFTER_END')],
    ['a stream that ended too soon', coded('ERR_STREAM_PREMATURE_CLOSE')],
    ['a socket that was closed', coded('ERR_SOCKET_CLOSED')],
    ['a certificate for another name', coded('ERR_TLS_CERT_ALTNAME_INVALID')],
  ])('about %s means that the database cannot be reached', (_, error) => {
    const { kind, uncertain, transient } = toStoreError(error, 'updating bootstrax', 'runs');
    expect({ kind, uncertain, transient }).toEqual({
      ...{ kind: 'unreachable', uncertain: true, transient: true },
    });
  });

  it('is recognised as Node makes it, on a socket that the other side has ended', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.resume();
    await once(socket, 'end');
    const written = new Promise((resolve) => socket.write('hello', resolve));
    socket.on('error', () => undefined);
    expect(kindOf(await written)).toBe('unreachable');
    server.close();
  });

  it('is recognised as Node makes it, on a stream that was destroyed', async () => {
    const stream = new PassThrough();
    stream.destroy();
    stream.on('error', () => undefined);
    expect(kindOf(await new Promise((resolve) => stream.write('hello', resolve)))).toBe(
      'unreachable',
    );
  });

  it.each([new TypeError('x is not a function'), coded('ERR_INVALID_ARG_TYPE')])(
    'is a mistake of ours where it is one: %s',
    (error) => {
      expect(kindOf(error)).toBe('refused');
    },
  );
});
