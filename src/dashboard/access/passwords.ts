import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** 32 MB and about a quarter of a second each: what a guess costs. */
const COST = { N: 32_768, r: 8, p: 3 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Of the cost that a stored hash may ask for. */
const MOST_MEMORY_BYTES = 128 * 1024 * 1024;

export const SHORTEST_PASSWORD = 10;
export const LONGEST_PASSWORD = 256;

/** `scrypt$N$r$p$salt$key`, base64: nothing from which the password could be read. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, COST, KEY_BYTES);
  const { N, r, p } = COST;
  return ['scrypt', N, r, p, salt.toString('base64'), key.toString('base64')].join('$');
}

/** Whether this is the password; with null it takes as long and is false. */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const match = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w+/=]+)\$([\w+/=]+)$/.exec(
    stored ?? '',
  );
  if (match === null) {
    await derive(password, Buffer.alloc(SALT_BYTES), COST, KEY_BYTES);
    return false;
  }
  const [, N, r, p, salt, key] = match as unknown as [string, string, string, string, ...string[]];
  const wanted = Buffer.from(key ?? '', 'base64');
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const got = await derive(password, Buffer.from(salt ?? '', 'base64'), cost, wanted.length);
  return timingSafeEqual(got, wanted);
}

/** Why this cannot be a password; null if it can. */
export function problemOfPassword(password: string): string | null {
  if (password.length < SHORTEST_PASSWORD) {
    return `it is shorter than ${SHORTEST_PASSWORD} characters`;
  }
  if (password.length > LONGEST_PASSWORD) return `it is longer than ${LONGEST_PASSWORD} characters`;
  return /\p{Cc}/u.test(password) ? 'it has control characters' : null;
}

function derive(
  password: string,
  salt: Buffer,
  cost: { N: number; r: number; p: number },
  bytes: number,
): Promise<Buffer> {
  // The same letters may be typed in two ways of writing accents.
  const typed = password.normalize('NFKC');
  return new Promise((resolve, reject) => {
    scrypt(typed, salt, bytes, { ...cost, maxmem: MOST_MEMORY_BYTES }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
