import { join } from 'node:path';
import { z } from 'zod';

import eventBuilders from '../../../../config/event-builders.json' with { type: 'json' };
import { PROFILE_NAME } from '../../values/profile-name.pure.ts';
import {
  boolean,
  choice,
  command,
  type HostRow,
  list,
  number,
  optionalCommand,
  optionalPath,
  optionalServer,
  optionalText,
  path,
  row,
  table,
  text,
} from './setting.pure.ts';

const roles = ['primary', 'backup', 'never'] as const;
const word = z.string().min(1);

const hostRow: z.ZodType<HostRow> = row({
  pattern: word,
  role: z.exactOptional(z.enum(roles)),
  resourceTable: z.exactOptional(word),
});

const channelsRow = row({
  detector: word,
  /** Channel numbers, both included. */
  first: z.int().nonnegative(),
  last: z.int().nonnegative(),
  nsPerSample: z.literal([2, 10]),
  /** Threads of the one readout program, each of which writes a file of its own. */
  threads: z.int().positive(),
});

/** Channels of one detector for the simulated DAQ. */
export type ChannelsRow = z.output<typeof channelsRow>;

/** What a host is: its databases, its name and role, its folders, its worker. */
export const HOST_SETTINGS = z.strictObject({
  database: z.strictObject({
    url: optionalServer({
      name: 'mongo-url',
      secret: true,
      description:
        'MongoDB URL of the runs database, and of the DAQ database unless that has its own. Without it `run` refuses to start, unless `--embedded` is given.',
    }),
    daqUrl: optionalServer({
      name: 'daq-mongo-url',
      secret: true,
      description:
        'MongoDB URL of the DAQ database, if it is on another server than the runs database.',
    }),
    runsDb: text({
      name: 'runs-db',
      default: 'xenonnt',
      description: 'Name of the database that holds `runs`.',
    }),
    daqDb: text({
      name: 'daq-db',
      default: 'daq',
      description: 'Name of the database that holds `eb_monitor`, `log` and `aggregate_status`.',
    }),
    credentialsFile: optionalCommand({
      name: 'credentials-file',
      expected: 'a path, or the word utilix',
      description:
        'File with user names and passwords, which only its owner may read. It has lines of `key = value`, or is the site’s utilix file; the word `utilix` means `$XENON_CONFIG` or `~/.xenon_config`.',
    }),
    manage: boolean({
      default: false,
      description:
        'Create missing indexes and collections on a server that bootstrax did not start.',
    }),
    changeStream: boolean({
      name: 'change-stream',
      default: true,
      description:
        'Let a change stream wake the manager when a run appears, besides the slow poll.',
    }),
    wipeOnlineMonitor: boolean({
      name: 'wipe-online-monitor',
      default: true,
      description:
        'Delete what earlier attempts at a run left in `online_monitor`, before each attempt and at each failure.',
    }),
    callTimeoutSeconds: number(z.number().positive(), {
      default: 10,
      unit: 's',
      description:
        'A database call ends with a timeout after this time. After the timeout of a write the document is read before anything is decided.',
    }),
  }),
  host: z.strictObject({
    name: text({
      name: 'host',
      default: (facts) => facts.hostName,
      description:
        'Name of this host in all documents: its fully qualified name, as Python’s `socket.getfqdn()` returns it.',
    }),
    byName: table<readonly HostRow[]>(z.array(hostRow), {
      default: eventBuilders.byName as HostRow[],
      description:
        'Role and resource table of hosts by their names, so that all hosts can share one file. The first row that fits the name and gives a value counts, where `role` or `resource_table` is not set.',
    }),
    role: choice(roles, {
      name: 'role',
      default: ({ hostRows }) => hostRows.find(({ role }) => role !== undefined)?.role ?? 'primary',
      description:
        'A `primary` host takes new runs. A `backup` host takes them only when no primary host is alive or the queue is long. A host with `never` takes only runs without the TPC, and retries.',
    }),
    primaries: list({
      name: 'primaries',
      default: eventBuilders.primaries,
      description: 'The primary hosts. A backup host checks whether one of them is alive.',
    }),
    watched: list({
      name: 'watched',
      default: eventBuilders.watched,
      description:
        'Hosts with another program than this one that are marked dead in `eb_monitor` when they are silent. Hosts with this program always are.',
    }),
    resourceTable: text({
      name: 'resource-table',
      default: ({ hostRows }) =>
        hostRows.find(({ resourceTable }) => resourceTable !== undefined)?.resourceTable ?? 'new',
      description: 'Which of `resources.tables` applies to this host.',
    }),
    slots: number(z.int().positive(), {
      name: 'slots',
      default: 1,
      description: 'Runs that this host processes at the same time.',
    }),
  }),
  paths: z.strictObject({
    liveData: path({
      name: 'live-data',
      default: (facts) => join(facts.stateHome, 'bootstrax', 'live_data'),
      description:
        'Folder with the live data of all runs. The document of a run says where in it the run lies; nothing outside this folder is read. `simulate-daq` writes here.',
    }),
    output: path({
      name: 'output',
      default: (facts) => join(facts.stateHome, 'bootstrax', 'processed'),
      description: 'Output folder: the published products lie here, and nothing else.',
    }),
    staging: optionalPath({
      name: 'staging',
      description:
        'Staging folder, in which each attempt has its place. Checked products are renamed from it into `output`, so both must lie on one file system. By default it has the name of `output` with `.staging` behind it.',
    }),
    stateDir: path({
      name: 'state-dir',
      default: (facts) => join(facts.stateHome, 'bootstrax'),
      description: 'State folder, for attempts, logs, plugin graphs and the embedded database.',
    }),
  }),
  worker: z.strictObject({
    python: command({
      name: 'python',
      default: (facts) => join(facts.packageDirectory, '.venv', 'bin', 'python'),
      description: 'Python interpreter that has strax.',
    }),
    context: text({
      name: 'context',
      default: 'straxen.contexts:xenonnt_online',
      description: 'Function that returns the strax context, as `module:function`.',
    }),
    pythonPath: optionalPath({
      name: 'python-path',
      description:
        'Folder with the module of the context, if that is not installed in the Python environment.',
    }),
    contextOptions: table(z.record(z.string(), z.unknown()), {
      isOpen: true,
      default: {},
      description: 'Keyword arguments of the function that returns the context.',
    }),
    processor: choice(['threaded_mailbox', 'single_thread'], {
      name: 'processor',
      default: 'threaded_mailbox',
      description: 'Processor of strax.',
    }),
    profile: optionalCommand(
      {
        name: 'profile',
        expected: 'a word that can be part of a file name',
        description:
          'Profile each attempt: Python’s `pstats` reads `run<id>_<name>.prof` in the attempt directory. It needs yappi in the worker’s Python. The word `false` means no profile.',
      },
      PROFILE_NAME,
    ),
    debug: boolean({
      name: 'debug',
      default: false,
      description:
        'Write into the log of each attempt what strax’s mailboxes do, and every 5 s how full they are. The manager logs more, too.',
    }),
    onlineMonitor: boolean({
      name: 'online-monitor',
      default: false,
      description:
        'Also give straxen’s `OnlineMonitor` the data types that it takes. It finds its database through utilix (`XENON_CONFIG`). What it cannot store never fails a run.',
    }),
    runDatabase: boolean({
      name: 'run-database',
      default: false,
      description:
        'Also open straxen’s own `RunDB` through utilix, only to read, beside the place of the attempt. bootstrax lists the products itself, in the same form.',
    }),
    pictures: boolean({
      name: 'pictures',
      default: true,
      description:
        'Make pictures of the data beside each attempt, as the module of the context declares them. It costs the attempt nothing: a process of the lowest priority makes them.',
    }),
    warmUp: boolean({
      name: 'warm-up',
      default: true,
      description:
        'Compile the plugins on a tiny run before the first real one, if the module of the context offers that.',
    }),
  }),
  simulator: z.strictObject({
    detectors: list({
      default: ['tpc'],
      description:
        'Detectors of the runs that `simulate-daq` and `demo` take, unless an option names others.',
    }),
    mode: optionalText({
      description:
        'Run mode of these runs, or several separated by commas, which they take by turns. By default it is that of a plain run of XENONnT.',
    }),
    channels: table<readonly ChannelsRow[]>(z.array(channelsRow), {
      default: [],
      description: 'Channels and readout threads of detectors that XENONnT does not have, by name.',
    }),
  }),
  checks: z.strictObject({
    ignore: boolean({
      name: 'ignore-checks',
      default: false,
      description:
        'A run is done if its processing ended without an error, whatever the checks of its products say. Use this only where a run is worth more than its checks.',
    }),
  }),
  deletion: z.strictObject({
    liveData: boolean({
      name: 'delete-live',
      default: false,
      description:
        'Delete the live data of a run that this host has processed, after its products have been checked again.',
    }),
  }),
});
