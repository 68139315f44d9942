import { join } from 'node:path';
import { z } from 'zod';
import { PROFILE_NAME } from '../values/profile-name.pure.ts';
import eventBuilders from '../../../config/event-builders.json' with { type: 'json' };
import { RULES_TABLE } from './rules-table.ts';
import {
  addresses,
  boolean,
  choice,
  command,
  headerName,
  list,
  number,
  optionalPath,
  optionalServer,
  optionalText,
  optionalUrl,
  path,
  table,
  text,
  type HostRow,
} from './setting.ts';

const positive = z.number().positive();
const whole = z.int().positive();
const roles = ['primary', 'backup', 'never'] as const;

const hostRow = z
  .strictObject({
    pattern: z.string().min(1),
    role: z.enum(roles).optional(),
    resource_table: z.string().min(1).optional(),
  })
  .transform(({ pattern, role, resource_table }): HostRow => ({
    pattern,
    ...(role && { role }),
    ...(resource_table && { resourceTable: resource_table }),
  }));

/** Channels of one detector for the simulated data acquisition. */
export interface ChannelsRow {
  detector: string;
  /** Channel numbers, both included. */
  first: number;
  last: number;
  nsPerSample: number;
  /** Threads of the one readout program, each of which writes a file of its own. */
  threads: number;
}

const channelsRow = z
  .strictObject({
    detector: z.string().min(1),
    first: z.int().nonnegative(),
    last: z.int().nonnegative(),
    ns_per_sample: z.literal([2, 10]),
    threads: whole,
  })
  .transform(({ ns_per_sample, ...row }): ChannelsRow => ({ ...row, nsPerSample: ns_per_sample }));

/**
 * Every setting, by section. The name in the file is the snake_case of the key; flag and
 * environment variable are `--<name>` and `BOOTSTRAX_<NAME>`, where the name is the given one or
 * the path joined.
 */
export const TABLE = {
  database: {
    url: optionalServer(
      'MongoDB URL of the runs database, and of the DAQ database unless that has its own. Without it `run` refuses to start, unless `--embedded` is given.',
      { name: 'mongo-url', secret: true },
    ),
    daqUrl: optionalServer(
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
    wipeOnlineMonitor: boolean(
      true,
      'Delete what earlier attempts at a run left in `online_monitor`, before each attempt and at each failure.',
      { name: 'wipe-online-monitor' },
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
    byName: table<readonly HostRow[]>(
      z.array(hostRow),
      eventBuilders.byName as HostRow[],
      'What hosts are by their names, so that all hosts share one file: the first row that fits the name and says it gives `role` and `resource_table` where these are not set.',
      { rows: true },
    ),
    role: choice(
      roles,
      ({ hostRows }) => hostRows.find(({ role }) => role !== undefined)?.role ?? 'primary',
      '`primary` takes new runs; `backup` only when no primary host is alive or the queue is long; `never` only runs without the TPC, and retries.',
      { name: 'role' },
    ),
    primaries: list(eventBuilders.primaries, 'The primary hosts, for which a backup host looks.', {
      name: 'primaries',
    }),
    watched: list(
      eventBuilders.watched,
      'Hosts whose managers are marked dead in `eb_monitor` when they fall silent, besides all that run this program: those that run another one.',
      { name: 'watched' },
    ),
    resourceTable: text(
      ({ hostRows }) =>
        hostRows.find(({ resourceTable }) => resourceTable !== undefined)?.resourceTable ?? 'new',
      'Which of `resources.tables` applies to this host.',
      { name: 'resource-table' },
    ),
    slots: number(whole, 1, 'Runs processed at the same time on this host.', { name: 'slots' }),
  },
  paths: {
    liveData: path(
      (facts) => join(facts.stateHome, 'bootstrax', 'live_data'),
      'Folder below which the live data of all runs lies. A run’s own place is in its document; nothing outside this folder is read. `simulate-daq` writes here.',
      { name: 'live-data' },
    ),
    output: path(
      (facts) => join(facts.stateHome, 'bootstrax', 'processed'),
      'Folder for the processed data; nothing else lies in it.',
      { name: 'output' },
    ),
    staging: optionalPath(
      'Folder in which each attempt has one of its own until its products are checked; then they are renamed into `output`, so both must lie on one file system. By default the name of `output` with `.staging` behind it.',
      { name: 'staging' },
    ),
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
    pythonPath: optionalPath(
      'Folder in which the context’s module lies, where that is not installed in the Python environment.',
      { name: 'python-path' },
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
    profile: command(
      z.string().regex(PROFILE_NAME, 'is to be part of a file name').nullable(),
      null,
      'Profile each attempt: `run<id>_<name>.prof` in its attempt directory, to be read with Python’s `pstats`. `false`: none.',
      { name: 'profile' },
    ),
    debug: boolean(
      false,
      'What strax’s mailboxes do, and how full they are every 5 s, goes to the log of the attempt; the manager logs more as well.',
      { name: 'debug' },
    ),
    onlineMonitor: boolean(
      false,
      'straxen’s `OnlineMonitor` is given the data types it takes as well; it finds its database through utilix (`XENON_CONFIG`). What it cannot store never fails a run.',
      { name: 'online-monitor' },
    ),
    runDatabase: boolean(
      false,
      'straxen’s own `RunDB` is opened beside the folder of the attempt, to be read only, through utilix. bootstrax lists what was made, in the same shape.',
      { name: 'run-database' },
    ),
    warmUp: boolean(
      true,
      'Compile the plugins on a tiny run before the first real one, where the context’s module offers that.',
      { name: 'warm-up' },
    ),
  },
  simulator: {
    detectors: list(
      ['tpc'],
      'Linked detectors of the runs that `simulate-daq` and `demo` take, unless an option says otherwise.',
    ),
    mode: optionalText('Readout mode of these runs; that of a plain run of XENONnT by default.'),
    channels: table<readonly ChannelsRow[]>(
      z.array(channelsRow),
      [],
      'Channels and readout threads of detectors that are not XENONnT’s, by name.',
      { rows: true },
    ),
  },
  checks: {
    ignore: boolean(
      false,
      'A run whose processing ended without an error is done, whatever the checks of its products say. Not for regular use: only where a run is worth more than its checks.',
      { name: 'ignore-checks' },
    ),
  },
  deletion: {
    liveData: boolean(
      false,
      'Delete the live data of a run that this host has processed, once its products have been checked again.',
      { name: 'delete-live' },
    ),
  },
  dashboard: {
    address: text(
      '127.0.0.1',
      'Where the dashboard listens. Anything but loopback needs users or a proxy: see [access](access.md).',
      { name: 'dashboard-address' },
    ),
    port: number(z.int().min(0).max(65_535), 8580, 'Port of the dashboard; 0 for any free one.', {
      name: 'dashboard-port',
    }),
    stateDirs: optionalPath(
      'Where the state directories of the hosts are mounted on this machine, `{host}` standing for the full name of each: then logs and curves of their attempts are shown as well.',
      { name: 'dashboard-state-dirs' },
    ),
    hostNames: list(
      [],
      'Names under which browsers reach it, besides this machine’s own; requests by any other name are refused.',
    ),
    login: boolean(
      false,
      'Ask for a login on loopback as well: where a proxy that names nobody stands in front, or others work on this machine.',
    ),
    sessionHours: number(positive, 168, 'A login holds for so long.', { unit: 'h' }),
    metricsAddresses: addresses('Who may read `/metrics` without a login.'),
    metricsToken: optionalText(
      'Who sends this token (`Authorization: Bearer`) may read `/metrics` as well.',
      { hidden: true },
    ),
    proxy: {
      addresses: addresses(
        'Where a trusted proxy asks from, with a laboratory’s single sign-on in front: what it says of who asks is believed.',
      ),
      userHeader: headerName('x-forwarded-user', 'Header in which it gives the name of a person.'),
      groupsHeader: headerName(
        'x-forwarded-groups',
        'Header in which it gives their groups, separated by commas.',
      ),
      operators: list([], 'Names of those who may act; `*`: everybody the proxy lets through.'),
      operatorGroups: list([], 'Groups whose members may act.'),
      viewers: list([], 'Names of those who may look; `*`: everybody the proxy lets through.'),
      viewerGroups: list([], 'Groups whose members may look.'),
    },
  },
  alarms: {
    webhook: optionalUrl(
      ['https:', 'http:'],
      'Address to which alarms are posted as JSON; such addresses mostly carry a key.',
      { hidden: true },
    ),
    mailServer: optionalUrl(
      ['smtp:', 'smtps:'],
      'Server for mails: `smtp://host:25`, encrypted if it offers that, or `smtps://host:465`.',
    ),
    mailFrom: optionalText('Sender of the mails.'),
    mailTo: list([], 'Who is sent a mail at an alarm.'),
    mailUser: optionalText('User at the mail server, which is then spoken to encrypted only.'),
    mailPassword: optionalText('Password at the mail server.', { hidden: true }),
    deadMan: optionalUrl(
      ['https:', 'http:'],
      'Address at an outside receiver that is asked for at an interval, as long as the databases are read: that receiver tells people when nothing comes any more.',
      { hidden: true },
    ),
    deadManSeconds: number(positive, 60, 'That interval.', { unit: 's' }),
    link: optionalUrl(
      ['https:', 'http:'],
      'Address under which people reach the dashboard, named in each message.',
    ),
    lookSeconds: number(positive, 15, 'Pause between two looks, also while nobody watches.', {
      unit: 's',
    }),
    holdSeconds: number(
      z.number().nonnegative(),
      30,
      'What is wrong is told after it has been seen for so long without a break, and is over after it has not.',
      { unit: 's' },
    ),
    retrySeconds: number(
      positive,
      30,
      'Pause after a receiver has failed; doubles with each further failure, to an hour at most.',
      { unit: 's' },
    ),
    diskFullHours: number(
      positive,
      6,
      'A disk that, as it goes on, is full sooner than this is an alarm.',
      { unit: 'h' },
    ),
    nothingProcessedSeconds: number(
      positive,
      1800,
      'Runs wait, or fail, and none has been done for so long: an alarm.',
      { unit: 's' },
    ),
  },
  ...RULES_TABLE,
} as const;
