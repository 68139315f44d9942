import type { Command } from 'commander';
import { CommandFailure } from '../framework/command-failure.ts';
import { print, printJson } from '../framework/output.ts';
import { settingsOf } from '../framework/setting-flags.ts';

interface Options {
  json?: boolean;
}

/** `bootstrax db start|stop|status`: the embedded server, for the demo, tests and small labs. */
export function addDb(program: Command): void {
  const db = program
    .command('db')
    .description('start, stop or look at the embedded database server')
    .exitOverride();
  db.command('start')
    .description('start it, or find the one that runs; it goes on after this command')
    .option('--port <number>', 'port on the loopback interface (default: a free one)')
    .option('--json', 'one object: {url, pid, data}')
    .exitOverride()
    .action(async ({ json, port }: Options & { port?: string }, command: Command) => {
      const { settings } = await settingsOf(command);
      const { startEmbedded } = await import('../../infra/mongo/embedded/embedded-server.ts');
      const server = await startEmbedded({
        python: settings.worker.python,
        stateDir: settings.paths.stateDir,
        port: port === undefined ? null : portNumber(port),
      });
      if (json) {
        printJson({ url: server.url, pid: server.identity.pid, data: server.dataDirectory });
      } else {
        print(`The embedded server listens on ${server.url} (process ${server.identity.pid}).`);
        print(`Its data is in ${server.dataDirectory}. It ends with: bootstrax db stop`);
      }
    });
  db.command('stop')
    .description('end it; its data stays')
    .option('--json', 'one object: {stopped}')
    .exitOverride()
    .action(async ({ json }: Options, command: Command) => {
      const { settings } = await settingsOf(command);
      const { stopEmbedded } = await import('../../infra/mongo/embedded/embedded-server.ts');
      const stopped = await stopEmbedded(settings.paths.stateDir);
      if (json) printJson({ stopped });
      else print(stopped ? 'The embedded server has ended.' : 'No embedded server was running.');
    });
  db.command('status')
    .description('does it run? exit code 1 if not')
    .option('--json', 'one object: {running, url, pid, data}')
    .exitOverride()
    .action(async ({ json }: Options, command: Command) => {
      const { settings } = await settingsOf(command);
      const { findEmbedded } = await import('../../infra/mongo/embedded/embedded-server.ts');
      const server = await findEmbedded(settings.paths.stateDir);
      if (json) {
        printJson({
          running: server !== null,
          url: server?.url ?? null,
          pid: server?.identity.pid ?? null,
          data: server?.dataDirectory ?? null,
        });
      } else if (server === null) {
        print(`No embedded server runs for ${settings.paths.stateDir}.`);
      } else {
        print(`The embedded server listens on ${server.url} (process ${server.identity.pid}).`);
      }
      if (server === null) process.exitCode = 1;
    });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new CommandFailure(2, `--port: "${text}" is not a port number`);
}
