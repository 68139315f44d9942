import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { PROTOCOL_VERSION, type Started } from '../../../../src/attempt/attempt.pure.ts';
import { newAttemptId } from '../../../../src/attempt/files/attempt-directory.ts';
import { LocalReach } from '../../../../src/executors/local/local-reach.ts';
import type { ProcessIdentity } from '../../../../src/infra/linux/process-identity.pure.ts';
import { identityOf } from '../../../../src/infra/linux/process-identity.ts';
import { start, temporaryFolder, until } from '../../infra/linux/support.ts';

interface Sleeper {
  identity: ProcessIdentity;
  kill: () => Promise<void>;
}

/** A process that does nothing; with its standard output in this file, as those of an attempt have it. */
function sleeper(logFile?: string): Sleeper {
  const stdio = logFile === undefined ? 'ignore' : ['ignore', openSync(logFile, 'a'), 'ignore'];
  const child = start('sleep', ['600'], { stdio });
  const identity = identityOf(child.pid!)!;
  return {
    identity,
    kill: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function dead(): Promise<ProcessIdentity> {
  const { identity, kill } = sleeper();
  await kill();
  return identity;
}

function place(): { id: string; directory: string; logFile: string } {
  const id = newAttemptId();
  const directory = join(temporaryFolder(), id);
  mkdirSync(directory);
  return { id, directory, logFile: join(directory, 'log.txt') };
}

const startedBy = (id: string, guardian: ProcessIdentity, child: ProcessIdentity): Started => ({
  ...{ version: PROTOCOL_VERSION, attempt: id, guardian, child, warm: true },
});

describe('the life of an attempt on this machine', () => {
  it('goes on while the child lives, though the guardian died alone, and the other way round', async () => {
    const { id, directory } = place();
    const alive = sleeper();
    const gone = await dead();
    for (const words of [startedBy(id, alive.identity, gone), startedBy(id, gone, alive.identity)])
      expect(new LocalReach({ id, directory, started: words }).life()).toBe('running');
    const reach = new LocalReach({ id, directory, started: startedBy(id, gone, alive.identity) });
    await alive.kill();
    expect(reach.life()).toBe('gone');
  });

  it('is over after another boot, whoever has the numbers now', () => {
    const { id, directory } = place();
    const alive = sleeper();
    const before = { ...alive.identity, bootId: 'another' };
    const reach = new LocalReach({ id, directory, started: startedBy(id, before, before) });
    expect(reach.life()).toBe('gone');
  });

  it('is seen by the log before anything is said, and after its guardian is gone', async () => {
    const { id, directory, logFile } = place();
    const writer = sleeper(logFile);
    const unnamed = new LocalReach({ id, directory, started: null });
    const named = new LocalReach({ id, directory, started: null }, await dead());
    expect([unnamed.life(), named.life()]).toEqual(['running', 'running']);
    expect(unnamed.hasProcesses()).toBe(true);
    await writer.kill();
    // Nobody has named a guardian, so that one may still come; the one that was named will not.
    expect([unnamed.life(), named.life()]).toEqual(['waiting', 'gone']);
  });

  it('is known from `started.json` on by what that says', async () => {
    const { id, directory } = place();
    const reach = new LocalReach({ id, directory, started: null });
    expect(reach.life()).toBe('waiting');
    expect(reach.where).toEqual({ executor: 'local', guardian: null });
    const [guardian, child] = [sleeper(), sleeper()];
    reach.begun(startedBy(id, guardian.identity, child.identity));
    expect(reach.where).toEqual({ executor: 'local', guardian: guardian.identity });
    expect(reach.life()).toBe('running');
    await Promise.all([guardian.kill(), child.kill()]);
    expect(reach.life()).toBe('gone');
  });

  it('ends for whoever writes to its log, and nothing is waited for after that', async () => {
    const { id, directory, logFile } = place();
    const writer = sleeper(logFile);
    const reach = new LocalReach({ id, directory, started: null });
    expect(await reach.end(3)).toEqual({ kind: 'ended' });
    await until('its end', () => identityOf(writer.identity.pid) === null);
    expect(reach.life()).toBe('gone');
    expect(reach.hasProcesses()).toBe(false);
  });
});
