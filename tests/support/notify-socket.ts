import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Listens as systemd does; prints the process that sent each message, and the message. */
const LISTENER = `
import os, socket, struct, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
server.bind(sys.argv[1])
print("listening", flush=True)
while True:
    data, ancillary, _, _ = server.recvmsg(4096, 1024)
    pid = struct.unpack("3i", ancillary[0][2][:12])[0]
    print(pid, data.decode(), flush=True)
`;

export interface Notice {
  /** Process that sent it. */
  pid: number;
  text: string;
  /** performance.now() of its arrival. */
  at: number;
}

/** A stand-in for the socket on which systemd listens to its services. */
export class NotifySocket {
  readonly notices: Notice[] = [];

  readonly #child: ChildProcess;

  private constructor(
    readonly path: string,
    child: ChildProcess,
  ) {
    this.#child = child;
  }

  static async listen(folder: string): Promise<NotifySocket> {
    const path = join(folder, 'notify');
    const child = spawn('python3', ['-c', LISTENER, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const socket = new NotifySocket(path, child);
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    lines.on('line', (line) => {
      const [, pid, text] = /^(\d+) (.*)$/.exec(line) ?? [];
      if (text === undefined) throw new Error(`one line a message is expected: ${line}`);
      socket.notices.push({ pid: Number(pid), text, at: performance.now() });
    });
    return socket;
  }

  /** Messages of this text. */
  of(text: string): Notice[] {
    return this.notices.filter((notice) => notice.text === text);
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
