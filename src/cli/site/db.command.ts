import type { Command } from 'commander';

import { localQuery } from '../framework/answering.ts';
import { CommandFailure } from '../framework/command-failure.ts';
import { settingsOf } from '../framework/setting-flags.ts';

/** `bootstrax db start|stop|status`: the embedded server, for the demo, tests and small labs. */
export function addDb(program: Command): void {
  const db = program.command('db').description('start, stop or check the embedded database server');
  localQuery(db, {
    name: 'start',
    about: 'start it, or find the one that runs; it goes on after this command',
    takes: (command) =>
      command.option('--port <number>', 'port on the loopback interface (default: a free one)'),
    json: 'one object: {url, pid, data}',
    read: async (command, { port }: { port?: string }) => {
      const { settings } = await settingsOf(command);
      const { startEmbedded } = await import('../../infra/mongo/embedded/embedded-server.ts');
      const { url, identity, dataDirectory } = await startEmbedded({
        python: settings.worker.python,
        stateDir: settings.paths.stateDir,
        port: port === undefined ? null : portNumber(port),
      });
      return { url, pid: identity.pid, data: dataDirectory };
    },
    draw: ({ url, pid, data }) =>
      `The embedded server listens on ${url} (process ${pid}).\n` +
      `Its data is in ${data}. To stop it: bootstrax db stop`,
  });
  localQuery(db, {
    name: 'stop',
    about: 'stop it; its data stays',
    json: 'one object: {stopped}',
    read: async (command) => {
      const { settings } = await settingsOf(command);
      const { stopEmbedded } = await import('../../infra/mongo/embedded/embedded-server.ts');
      return { stopped: await stopEmbedded(settings.paths.stateDir) };
    },
    draw: ({ stopped }) =>
      stopped ? 'The embedded server has ended.' : 'No embedded server was running.',
  });
  localQuery(db, {
    name: 'status',
    about: 'does it run? exit code 1 if not',
    json: 'one object: {running, url, pid, data}',
    read: readStatus,
    shape: ({ running, url, pid, data }) => ({ running, url, pid, data }),
    draw: ({ running, url, pid, stateDir }) =>
      running
        ? `The embedded server listens on ${url ?? ''} (process ${pid ?? ''}).`
        : `No embedded server runs for ${stateDir}.`,
    isProblem: ({ running }) => !running,
  });
}

async function readStatus(command: Command) {
  const { stateDir } = (await settingsOf(command)).settings.paths;
  const { findEmbedded } = await import('../../infra/mongo/embedded/embedded-server.ts');
  const server = await findEmbedded(stateDir);
  return {
    stateDir,
    running: server !== null,
    url: server?.url ?? null,
    pid: server?.identity.pid ?? null,
    data: server?.dataDirectory ?? null,
  };
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new CommandFailure(2, `--port: "${text}" is not a port number`);
}
