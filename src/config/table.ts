import { join } from 'node:path';
import { z } from 'zod';
import { RULES_TABLE } from './rules-table.ts';
import {
  boolean,
  choice,
  command,
  list,
  number,
  optionalText,
  path,
  table,
  text,
} from './setting.ts';

const PRIMARIES = ['eb3.xenon.local', 'eb4.xenon.local', 'eb5.xenon.local'];
const positive = z.number().positive();
const whole = z.int().positive();

/**
 * Every setting, by section. The name in the file is the snake_case of the key; flag and
 * environment variable are `--<name>` and `BOOTSTRAX_<NAME>`, where the name is the given one or
 * the path joined.
 */
export const TABLE = {
  database: {
    url: optionalText(
      'MongoDB URL of the runs database, and of the DAQ database unless that has its own. Without it `run` refuses to start, unless `--embedded` is given.',
      { name: 'mongo-url', secret: true },
    ),
    daqUrl: optionalText(
      'MongoDB URL of the DAQ database, where it is on another server than the runs database.',
      { name: 'daq-mongo-url', secret: true },
    ),
    runsDb: text('xenonnt', 'Name of the database that holds `runs`.', { name: 'runs-db' }),
    daqDb: text('daq', 'Name of the database that holds `eb_monitor`, `log`, `aggregate_status`.', {
      name: 'daq-db',
    }),
    credentialsFile: command(
      z.string().min(1).nullable(),
      null,
      'File with user names and passwords, readable by its owner alone: lines of `key = value`, or the site’s utilix file; the word `utilix` means `$XENON_CONFIG` or `~/.xenon_config`.',
      { name: 'credentials-file' },
    ),
    manage: boolean(
      false,
      'Create missing indexes and collections on a server that bootstrax did not start.',
    ),
    changeStream: boolean(
      true,
      'Be woken by a change stream when a run appears; the slow poll goes on beside it.',
      { name: 'change-stream' },
    ),
    callTimeoutSeconds: number(
      positive,
      10,
      'Outer limit of one database call; after a timed-out write the document is read before deciding.',
      { unit: 's' },
    ),
  },
  host: {
    name: text(
      (facts) => facts.hostName,
      'Name of this host in all documents: the fully qualified name, as `socket.getfqdn()` of Python gives it.',
      { name: 'host' },
    ),
    role: choice(
      ['primary', 'backup', 'never'],
      ({ hostName }) =>
        PRIMARIES.includes(hostName) ? 'primary' : hostName.includes('eb2') ? 'never' : 'backup',
      '`primary` takes new runs; `backup` only when no primary host is alive or the queue is long; `never` only runs without the TPC, and retries. The default follows the host name.',
      { name: 'role' },
    ),
    primaries: list(PRIMARIES, 'The primary hosts, for which a backup host looks.', {
      name: 'primaries',
    }),
    resourceTable: text(
      ({ hostName }) => (/^..[0-2]/.test(hostName) ? 'old' : 'new'),
      'Which of `resources.tables` applies to this host. The default is `old` for hosts whose name has 0, 1 or 2 as its third character, like eb0.',
      { name: 'resource-table' },
    ),
    slots: number(whole, 1, 'Runs processed at the same time on this host.', { name: 'slots' }),
  },
  paths: {
    liveData: path(
      '/live_data/xenonnt',
      'Folder below which the live data of all runs lies. A run’s own place is in its document; nothing outside this folder is read. `simulate-daq` writes here.',
      { name: 'live-data' },
    ),
    output: path('/data/pre_processed', 'Folder for the processed data; nothing else lies in it.', {
      name: 'output',
    }),
    stateDir: path(
      (facts) => join(facts.stateHome, 'bootstrax'),
      'Folder for attempts, logs, plugin graphs and the embedded database.',
      { name: 'state-dir' },
    ),
  },
  worker: {
    python: command(
      z.string().min(1),
      (facts) => join(facts.packageDirectory, '.venv', 'bin', 'python'),
      'Python interpreter with strax.',
      { name: 'python' },
    ),
    context: text(
      'straxen.contexts:xenonnt_online',
      'Function that returns the strax context, as `module:function`.',
      { name: 'context' },
    ),
    contextOptions: table(
      z.record(z.string(), z.unknown()),
      {},
      'Keyword arguments of that function.',
    ),
    processor: choice(
      ['threaded_mailbox', 'single_thread'],
      'threaded_mailbox',
      'strax processor.',
      {
        name: 'processor',
      },
    ),
    warmUp: boolean(
      true,
      'Compile the plugins on a tiny run before the first real one, where the context’s module offers that.',
      { name: 'warm-up' },
    ),
  },
  ...RULES_TABLE,
} as const;
