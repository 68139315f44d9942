import { describe, expect, it } from 'vitest';

import { Secrets } from '../../../../src/features/report/report-secrets.ts';
import type { Settings } from '../../../../src/infra/config/entries.ts';

const HOOK = 'https://chat.example/hooks/k3y-0f-the-h00k';

function secrets(password: string, env: Record<string, string> = {}): Secrets {
  const credentials = { runs: { username: 'daq', password }, daq: null };
  const alarms = { webhook: HOOK, deadMan: null, mailPassword: null };
  return new Secrets({ database: { credentials }, alarms } as unknown as Settings, env);
}

/** As it may stand in a log, a URL, a traceback, JSON within JSON. */
const FORMS: ((password: string) => string)[] = [
  (password) => `it said ${password}!`,
  (password) => `mongodb://daq:${encodeURIComponent(password)}@db.example:27017/?tls=true`,
  (password) => encodeURIComponent(password).toLowerCase(),
  (password) => encodeURIComponent(password).replace(/%../g, (code) => code.toLowerCase()),
  (password) => encodeURIComponent(encodeURIComponent(password)),
  (password) => encodeURI(password),
  (password) => [...Buffer.from(password)].map((b) => `%${b.toString(16).toUpperCase()}`).join(''),
  (password) => JSON.stringify({ password }),
  (password) => JSON.stringify({ line: JSON.stringify({ said: password }) }),
  (password) => Buffer.from(password).toString('base64'),
  (password) => `mongodb://daq:${password}@db.example/`,
];

describe('secrets in a report', () => {
  it.each(['p@:/%s', 'p@:/%s$ {a}#1', 'quote"and\\back', "it's", 'pässwört', 'a'])(
    'the password %s is removed, however it is written',
    (password) => {
      for (const write of FORMS) {
        const written = write(password);
        const cleaned = secrets(password).remove({ log: `before ${written} after` });
        const text = (cleaned as { log: string }).log;
        expect(text, written).toContain('***');
        if (password.length > 1) {
          for (const form of FORMS.slice(2)) expect(text).not.toContain(form(password));
          expect(text).not.toContain(password);
          expect(text).not.toContain(encodeURIComponent(password));
        }
      }
    },
  );

  it('values with the name of a secret are removed, and variables of such names anywhere', () => {
    const env = { XEDOCS_PASSWORD: 'hunter2hunter2', PWD: '/home/daq', MY_TOKEN: 'abc' };
    expect(
      secrets('x1x2x3', env).remove({
        context_options: { api_key: 'k', token: 12, user: 'daq', nested: [{ Password: 'q' }] },
        log: 'logging in with hunter2hunter2 in /home/daq, abc',
        empty: { password: '' },
      }),
    ).toEqual({
      context_options: { api_key: '***', token: '***', user: 'daq', nested: [{ Password: '***' }] },
      log: 'logging in with *** in /home/daq, abc',
      empty: { password: '' },
    });
  });

  it('the key of a webhook is removed, wherever it stands', () => {
    expect(secrets('x1x2x3').remove({ log: `POST ${HOOK}: refused` })).toEqual({
      log: 'POST ***: refused',
    });
  });

  it('whatever is no secret stays as it is', () => {
    const value = {
      text: 'mongodb://db.example:27017/?replicaSet=daq, mail to daq@lab.example',
      number: 7,
      nothing: null,
      list: [true, 'p@'],
    };
    expect(secrets('p@:/%s').remove(value)).toEqual(value);
  });

  it('users and passwords of unknown servers are hidden', () => {
    expect(secrets('p@:/%s').remove('from mongodb+srv://me:secret@other.example/x')).toBe(
      'from mongodb+srv://***@other.example/x',
    );
  });
});
