import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { connectionOf } from '../../../../src/infra/config/connection.ts';
import { loadSettings } from '../../../../src/infra/config/load-config.ts';
import { showSettings } from '../../../../src/infra/config/show-config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootstrax-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const UTILIX = `[RunDB]
pymongo_url = reader1:27017
pymongo_user = reader
pymongo_password = readonly
[rundb_admin]
mongo_rdb_url = a.xenon.local:27017,b.xenon.local:27017
mongo_rdb_username = daq
mongo_rdb_password = sec=ret:x
mongo_rdb_database = xenonnt
mongo_daq_url = c.xenon.local:27020
mongo_daq_username = daq2
mongo_daq_password = other
`;

async function write(name: string, text: string, mode: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

function load(env: Record<string, string>) {
  return loadSettings({
    env,
    flags: {},
    file: null,
    hostName: () => Promise.resolve({ name: 'h.lab', warning: null }),
  });
}

describe('credentials', () => {
  it('come from a private file, beside a URL given elsewhere', async () => {
    const path = await write('secret', 'username = "daq"\npassword = "p:w=1"\n', 0o600);
    const { settings } = await load({
      BOOTSTRAX_MONGO_URL: 'mongodb://h:1',
      BOOTSTRAX_CREDENTIALS_FILE: path,
    });
    const account = { username: 'daq', password: 'p:w=1' };
    expect(connectionOf(settings)).toMatchObject({
      runsUrl: 'mongodb://h:1',
      runsCredentials: account,
      daqCredentials: account,
    });
  });

  it('come from the utilix file, servers included, when it is asked for', async () => {
    const path = await write('.xenon_config', UTILIX, 0o600);
    const { settings } = await load({ BOOTSTRAX_CREDENTIALS_FILE: 'utilix', XENON_CONFIG: path });
    expect(connectionOf(settings)).toMatchObject({
      runsUrl: 'mongodb://a.xenon.local:27017,b.xenon.local:27017',
      daqUrl: 'mongodb://c.xenon.local:27020',
      runsDb: 'xenonnt',
      runsCredentials: { username: 'daq', password: 'sec=ret:x' },
      daqCredentials: { username: 'daq2', password: 'other' },
    });
  });

  it('are not looked for in the utilix file unless asked', async () => {
    const path = await write('.xenon_config', UTILIX, 0o600);
    expect(connectionOf((await load({ XENON_CONFIG: path })).settings)).toBeNull();
  });

  it('come from systemd', async () => {
    await write('bootstrax', 'username = daq\npassword = pw\n', 0o440);
    const { settings } = await load({
      BOOTSTRAX_MONGO_URL: 'mongodb://h:1',
      CREDENTIALS_DIRECTORY: folder,
    });
    expect(settings.database.credentials.runs).toEqual({ username: 'daq', password: 'pw' });
  });

  it('are refused from a file that others may read', async () => {
    const path = await write('secret', 'username = a\npassword = b\n', 0o640);
    await expect(load({ BOOTSTRAX_CREDENTIALS_FILE: path })).rejects.toThrow(
      `others than its owner may read it: chmod 600 ${path}`,
    );
  });

  it.each([
    ['empty', '', /neither username and password/],
    ['nowhere', null, /there is no such file/],
  ])('are refused from a file that is %s', async (name, text, message) => {
    const path = text === null ? join(folder, name) : await write(name, text, 0o600);
    await expect(load({ BOOTSTRAX_CREDENTIALS_FILE: path })).rejects.toThrow(message);
  });

  it('in a URL of a private configuration file are moved out of the URL and never shown', async () => {
    const path = await write(
      'c.toml',
      '[database]\nurl = "mongodb://me:hush%21@h:1/?w=1"\n',
      0o600,
    );
    const { settings, sources } = await load({ BOOTSTRAX_CONFIG: path });
    expect(settings.database.url).toBe('mongodb://h:1/?w=1');
    expect(settings.database.credentials.runs).toEqual({ username: 'me', password: 'hush!' });
    expect(JSON.stringify(showSettings(settings, sources))).not.toContain('hush');
  });
});
