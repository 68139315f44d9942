import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A TCP relay in front of a server that can fall silent, drop everything, or lose only answers. */
export interface Proxy {
  url: string;
  /** `silent`: nothing passes, connections stay open. `mute`: requests pass, answers do not. */
  mode: 'pass' | 'silent' | 'mute';
  /** Ends all present connections. */
  drop(): void;
  close(): Promise<void>;
}

export async function proxyTo(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    near.on('data', (data) => {
      if (proxy.mode !== 'silent') far.write(data);
    });
    far.on('data', (data) => {
      if (proxy.mode === 'pass') near.write(data);
    });
    const end = () => {
      near.destroy();
      far.destroy();
      sockets.delete(near);
      sockets.delete(far);
    };
    near.on('close', end);
    far.on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = () => sockets.forEach((socket) => socket.destroy());
  const proxy: Proxy = {
    // Direct: the server names its own address, which a client would follow past the proxy.
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`,
    mode: 'pass',
    drop,
    close: async () => {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
