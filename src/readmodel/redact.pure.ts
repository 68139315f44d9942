import { withoutSecretOptions } from '../infra/values/url-secrets.pure.ts';

const SECRET_NAME = /passw|secret|token|credential|private_?key/i;
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^/\s@"']*@/gi;
const MASK = '***';

/** A copy of plain data without passwords: by the names of fields, and in addresses. */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') {
    return withoutSecretOptions(value.replace(USER_INFO, `$1${MASK}@`));
  }
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      SECRET_NAME.test(name) && each !== null ? MASK : redact(each),
    ]),
  );
}
