import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an `Authorization` header carries this token; never without one. Takes as long for any. */
export function carriesToken(header: string | undefined, token: string | null): boolean {
  const [, given] = /^Bearer +(\S+)$/i.exec(header ?? '') ?? [];
  if (token === null || given === undefined) return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
