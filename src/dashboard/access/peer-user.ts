import { readFile } from 'node:fs/promises';

/** Addresses of this machine itself, as /proc/net/tcp and tcp6 write them. */
const LOOPBACK = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F):([0-9A-F]{4})$/;
/** Column of the owner's number. */
const UID = 7;

/**
 * The account whose process holds the other end of a connection within this machine: for a tunnel the
 * one who has logged in with ssh. Null if it cannot be told. `from` and `to`: the ports as that end has them.
 */
export async function userOfLoopbackPeer(from: number, to: number): Promise<string | null> {
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const uid = ownerOfConnection(await readFile(file, 'utf8').catch(() => ''), from, to);
    if (uid !== null) return nameOf(await readFile('/etc/passwd', 'utf8').catch(() => ''), uid);
  }
  return null;
}

/** Number of the owner of the end with these ports in the text of /proc/net/tcp. */
export function ownerOfConnection(text: string, from: number, to: number): number | null {
  for (const line of text.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (portOf(columns[1]) === from && portOf(columns[2]) === to) return Number(columns[UID]);
  }
  return null;
}

/** Of this user, as /etc/passwd has it; `uid 1000` where it is kept elsewhere. */
function nameOf(passwd: string, uid: number): string {
  for (const line of passwd.split('\n')) {
    const [name, , number] = line.split(':');
    if (name && number === String(uid)) return name;
  }
  return `uid ${uid}`;
}

function portOf(address: string | undefined): number | null {
  const port = LOOPBACK.exec(address ?? '')?.[1];
  return port === undefined ? null : Number.parseInt(port, 16);
}
