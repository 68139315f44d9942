import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Lab } from '../../../support/lab.ts';
import { type MailGuard, MailReceiver } from '../../../support/receivers.ts';
import { smallMachine } from '../../../support/small-machine.ts';

const USER = 'alarms';
const PASSWORD = 'p@:/%s';

let lab: Lab;
/** Of an authority that only this laboratory knows. */
let certificateFile: string;
let guard: Omit<MailGuard, 'encrypted'>;
beforeAll(async () => {
  lab = await Lab.start();
  certificateFile = join(lab.root, 'certificate.pem');
  const keyFile = join(lab.root, 'key.pem');
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-nodes', '-days', '2', '-newkey', 'ec'],
    ...['-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', '/CN=mail.lab.test'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certificateFile],
  ]);
  guard = {
    ...{ user: USER, password: PASSWORD },
    key: await readFile(keyFile, 'utf8'),
    certificate: await readFile(certificateFile, 'utf8'),
  };
});
afterAll(() => lab?.end());

interface Trial {
  /** Null: neither encrypted nor with a log-in. */
  encrypted: MailGuard['encrypted'] | null;
  password?: string;
  isCertificateKnown?: boolean;
}

/** Sends a test mail, with a log-in. */
async function trial({ encrypted, password = PASSWORD, isCertificateKnown = true }: Trial) {
  const server = await MailReceiver.start(encrypted === null ? undefined : { ...guard, encrypted });
  try {
    const { code, stdout, stderr } = await lab.command(['alarms', 'test'], {
      config: smallMachine({
        alarms: {
          mailServer: server.url,
          mailFrom: 'bootstrax@lab.test',
          mailTo: ['shift@lab.test'],
          mailUser: USER,
          mailPassword: password,
        },
      }),
      env: isCertificateKnown ? { NODE_EXTRA_CA_CERTS: certificateFile } : {},
    });
    return { code, said: stdout + stderr, mails: server.mails };
  } finally {
    await server.end();
  }
}

describe.each(['from the start', 'when asked'] as const)(
  'a mail server that is encrypted %s and wants a log-in',
  (encrypted) => {
    it('takes the mail', async () => {
      const { code, said, mails } = await trial({ encrypted });
      expect(said).toBe('mail: sent\n');
      expect(code).toBe(0);
      expect(mails.map(({ to }) => to)).toEqual([['shift@lab.test']]);
    });

    it('is told no password if its certificate is not known', async () => {
      const { code, said, mails } = await trial({ encrypted, isCertificateKnown: false });
      expect(said).toMatch(/^mail: .*certificate/);
      expect(code).toBe(1);
      expect(mails).toEqual([]);
    });

    it('is named as the one that refuses a password, which is not shown', async () => {
      const password = 'secret-and-wrong';
      const { code, said, mails } = await trial({ encrypted, password });
      expect(said).toMatch(/^mail: .*login/i);
      expect(said).not.toContain(password);
      expect(code).toBe(1);
      expect(mails).toEqual([]);
    });
  },
);

it('a mail server without encryption is told neither user nor password', async () => {
  const { code, said, mails } = await trial({ encrypted: null });
  expect(said).toMatch(/^mail: (?!sent)/);
  expect(code).toBe(1);
  expect(mails).toEqual([]);
});
