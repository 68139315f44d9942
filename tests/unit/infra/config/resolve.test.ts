import { describe, expect, it } from 'vitest';

import { describeError } from '../../../../src/infra/config/configuration-error.ts';
import { ENTRIES } from '../../../../src/infra/config/entries.ts';
import {
  type Inputs,
  type Resolution,
  resolveSettings,
} from '../../../../src/infra/config/resolve.ts';
import { defaultRules } from '../../../../src/infra/config/rules.pure.ts';
import { defaultIn } from '../../../../src/infra/config/schema/setting.pure.ts';
import { asWritten, showSettings } from '../../../../src/infra/config/show-config.ts';

function resolve(
  given: {
    toml?: string;
    privateToOwner?: boolean;
    env?: Inputs['env'];
    flags?: Inputs['flags'];
    hostName?: string;
  } = {},
): Resolution {
  return resolveSettings({
    file:
      given.toml === undefined
        ? null
        : {
            path: '/etc/lab/bootstrax.toml',
            text: given.toml,
            privateToOwner: given.privateToOwner ?? false,
          },
    env: given.env ?? {},
    flags: given.flags ?? {},
    facts: {
      hostName: given.hostName ?? 'eb3.xenon.local',
      packageDirectory: '/opt/bootstrax',
      stateHome: '/home/daq/.local/state',
    },
    workingDirectory: '/work/here',
    home: '/home/daq',
  });
}

function settingsOf(given: Parameters<typeof resolve>[0] = {}) {
  const resolution = resolve(given);
  if (resolution.kind === 'errors') {
    throw new Error(resolution.errors.map(describeError).join('\n'));
  }
  return resolution;
}

function errorsOf(given: Parameters<typeof resolve>[0]): string[] {
  const resolution = resolve(given);
  return resolution.kind === 'errors' ? resolution.errors.map(describeError) : [];
}

describe('resolveSettings', () => {
  it('gives the defaults of the reference where nothing is set', () => {
    const { settings, sources } = settingsOf();
    expect(settings.rules).toEqual(defaultRules);
    expect(settings.database.url).toBeNull();
    expect(settings.paths.stateDir).toBe('/home/daq/.local/state/bootstrax');
    expect(settings.worker.python).toBe('/opt/bootstrax/.venv/bin/python');
    expect(new Set(Object.values(sources).map((source) => source.kind))).toEqual(
      new Set(['default']),
    );
  });

  const BY_NAME = `
[[host.by_name]]
pattern = "b*"
resource_table = "old"
[[host.by_name]]
pattern = "big?.lab"
role = "never"
resource_table = "new"
[[host.by_name]]
pattern = "*"
role = "backup"`;

  it.each([
    ['big1.lab', 'never', 'old'],
    ['bar.lab', 'backup', 'old'],
    ['other', 'backup', 'new'],
  ])('gives %s the role %s and resources %s by its name', (hostName, role, table) => {
    const of = (given: Parameters<typeof resolve>[0]) => {
      const { host } = settingsOf({ toml: BY_NAME, ...given }).settings;
      return [host.role, host.resourceTable];
    };
    expect(of({ hostName })).toEqual([role, table]);
    expect(of({ env: { BOOTSTRAX_HOST: hostName } })).toEqual([role, table]);
    expect(of({ hostName, env: { BOOTSTRAX_ROLE: 'primary' } })).toEqual(['primary', table]);
    expect(of({ hostName, flags: { '--resource-table': 'new' } })).toEqual([role, 'new']);
  });

  it.each([
    ['eb3.xenon.local', 'primary', 'new'],
    ['eb2.xenon.local', 'never', 'old'],
    ['eb0.xenon.local', 'backup', 'old'],
    ['daq.lab.example', 'primary', 'new'],
  ])('knows without a file what %s is: %s, resources %s', (hostName, role, table) => {
    const { host } = settingsOf({ hostName }).settings;
    expect([host.role, host.resourceTable]).toEqual([role, table]);
  });

  it('takes flag before environment before file before default', () => {
    const toml = '[host]\nslots = 2\n[paths]\noutput = "/f"\nlive_data = "/f"\nstate_dir = "/f"';
    const env = { BOOTSTRAX_OUTPUT: '/e', BOOTSTRAX_LIVE_DATA: '/e' };
    const { settings, sources } = settingsOf({ toml, env, flags: { '--live-data': '/g' } });
    expect(settings.paths).toEqual({
      liveData: '/g',
      output: '/e',
      staging: null,
      stateDir: '/f',
    });
    expect(settings.host.slots).toBe(2);
    expect(sources['paths.live_data']).toEqual({ kind: 'flag', name: '--live-data' });
    expect(sources['paths.output']).toEqual({ kind: 'environment', name: 'BOOTSTRAX_OUTPUT' });
    expect(sources['paths.state_dir']).toEqual({ kind: 'file', path: '/etc/lab/bootstrax.toml' });
  });

  it.each([
    ['BOOTSTRAX_TARGETS', 'peaks, events_mv', ['peaks', 'events_mv'], 'targets'],
    ['BOOTSTRAX_WARM_UP', 'no', false, 'warmUp'],
    ['BOOTSTRAX_RETRY_BASE_SECONDS', '0.5', 0.5, 'base'],
    ['BOOTSTRAX_SHEDDING', 'reference', 'reference', 'shedding'],
    ['BOOTSTRAX_POLL_SECONDS', '3', 3, 'poll'],
    ['BOOTSTRAX_RESOURCES_CLIPS_CORES_MIN', '1', 1, 'clip'],
  ])('reads %s=%s', (name, value, expected, which) => {
    const { worker, rules } = settingsOf({ env: { [name]: value } }).settings;
    const got: Record<string, unknown> = {
      targets: rules.targets.default,
      warmUp: worker.warmUp,
      base: rules.retry.baseSeconds,
      shedding: rules.targets.shedding,
      poll: rules.limits.idlePollSeconds,
      clip: rules.resources.clips.cores.min,
    };
    expect(got[which]).toEqual(expected);
  });

  it('takes an empty variable as not set', () => {
    expect(settingsOf({ env: { BOOTSTRAX_MONGO_URL: '' } }).settings.database.url).toBeNull();
  });

  it('starts relative paths at the file, or at the working directory', () => {
    const toml = '[paths]\noutput = "out"\nstate_dir = "~/state"\n[worker]\npython = "python3"';
    const { settings } = settingsOf({ toml, env: { BOOTSTRAX_LIVE_DATA: 'live' } });
    expect(settings.paths).toEqual({
      output: '/etc/lab/out',
      liveData: '/work/here/live',
      staging: null,
      stateDir: '/home/daq/state',
    });
    expect(settings.worker.python).toBe('python3');
  });

  it('reads tables with the names of the file', () => {
    const { settings } = settingsOf({
      toml: `
        [worker.context_options]
        some_Option = 1
        [[targets.modes]]
        substring = "led"
        targets = ["led_calibration"]
        post_processing = ["raw_records"]
        [[targets.modes]]
        substring = "kr"
        append = { add = "event_info_double", if_present = "event_info" }
        [host]
        resource_table = "small"
        [[resources.tables.small]]
        rate_mbps = 0
        cores = 2
        max_messages = 4
      `,
    });
    expect(settings.worker.contextOptions).toEqual({ some_Option: 1 });
    expect(settings.rules.targets.modes).toEqual([
      { substring: 'led', targets: ['led_calibration'], postProcessing: ['raw_records'] },
      { substring: 'kr', append: { add: 'event_info_double', ifPresent: 'event_info' } },
    ]);
    expect(settings.rules.resources.tables).toEqual({
      small: [{ rateMBps: 0, cores: 2, maxMessages: 4, timeoutSeconds: null }],
    });
  });

  it('reports all errors at once, each with setting, source and what is wrong', () => {
    const errors = errorsOf({
      toml: '[paths]\noutptu = "/x"\n[host]\nslots = 0\nrole = "boss"\n[wroker]\npython = "x"\n',
      env: { BOOTSTRAX_DISK_MAX_USED_PERCENT: 'many' },
      flags: { '--retry-growth': '0.1' },
    });
    expect(errors).toHaveLength(6);
    expect(errors.join('\n')).toMatch(
      /paths\.outptu \(\/etc\/lab\/bootstrax\.toml line 2\): there is no such setting; did you mean paths\.output\?/,
    );
    expect(errors.join('\n')).toMatch(/wroker \(.*did you mean worker\?/);
    expect(errors.join('\n')).toMatch(
      /host\.slots \(\/etc\/lab\/bootstrax\.toml line 4\): found 0, .* above 0/,
    );
    expect(errors.join('\n')).toMatch(/host\.role .*primary, backup, never/);
    expect(errors.join('\n')).toMatch(
      /disk\.max_used_percent \(BOOTSTRAX_DISK_MAX_USED_PERCENT\): found "many", expected a number from 1 to 100/,
    );
    expect(errors.join('\n')).toMatch(/retry\.growth \(--retry-growth\): .*of at least 1/);
  });

  it.each([
    ['[host', /line 1/],
    ['[database]\nurl = "db.lab:27017"', /database\.url .*begins with mongodb:/],
    ['host = 1', /host .*is a section/],
    ['[host]\nresource_table = "fast"', /found "fast", expected .*: new, old/],
    ['[retry.jitter]\nmin = 2', /retry\.jitter\.min .*above/],
    ['[targets]\ndefault = []', /found an empty list/],
    ['[paths]\noutput = "/o"\nstaging = "/o"', /paths\.staging .*: \/o lies in paths\.output/],
    ['[paths]\noutput = "/o/"\nstaging = "/o/s/t"', /paths\.staging .*\/o\/s\/t lies in paths/],
    ['[paths]\noutput = "/"', /paths\.staging .*\/\.staging lies in paths\.output/],
    ['[limits]\nrenew_seconds = 120', /found 120, expected less than limits\.busy_lease_seconds/],
    // A run may be considered for minutes, and the reference takes it after 60 s.
    ['[limits]\nrenew_seconds = 60', /less than limits\.considering_lease_seconds/],
    ['[[targets.ladder]]\npattern = "x"', /targets\.ladder .*row 1, failures/],
    ['slots = 2', /did you mean host\.slots/],
  ])('refuses %j', (toml, message) => {
    expect(errorsOf({ toml }).join('\n')).toMatch(message);
  });

  it.each([
    ['flag', { flags: { '--mongo-url': 'mongodb://u:p@h/' } }],
    ['environment', { env: { BOOTSTRAX_MONGO_URL: 'mongodb://u:p@h/' } }],
    ['open file', { toml: '[database]\nurl = "mongodb://u:p@h/"' }],
  ])('refuses a password in a URL from %s', (_, given) => {
    const errors = errorsOf(given);
    expect(errors.join('\n')).toMatch(/carries a password/);
    expect(errors.join('\n')).not.toContain('u:p');
  });

  it('accepts a password in a URL of a file that only its owner may read', () => {
    const toml = '[database]\nurl = "mongodb://u:p@h/"';
    expect(settingsOf({ toml, privateToOwner: true }).settings.database.url).toContain('u:p');
  });
});

describe('what is a secret as a whole', () => {
  const toml = '[alarms]\nwebhook = "https://chat.example/hooks/k3y"';

  it('is taken only from a file that nobody else may read', () => {
    expect(settingsOf({ toml, privateToOwner: true }).settings.alarms.webhook).toContain('k3y');
    expect(errorsOf({ toml })).toEqual([expect.stringContaining('chmod 600')]);
    const given = { '--alarms-webhook': 'https://chat.example/hooks/k3y' };
    expect(settingsOf({ flags: given }).settings.alarms.webhook).toBeNull();
  });

  it('is never shown', () => {
    const { settings, sources } = settingsOf({ toml, privateToOwner: true });
    const shown = showSettings(settings, sources);
    expect(shown.find(({ setting }) => setting === 'alarms.webhook')).toMatchObject({
      ...{ value: '***', env: null, flag: null },
    });
    expect(JSON.stringify(shown)).not.toContain('k3y');
  });

  it.each([
    ['webhook = "file:///etc/passwd"', 'https:// or http://'],
    ['mail_server = "smtp://u:p@mail.lab"', 'without a user or a password'],
    ['mail_to = ["shift@lab"]', 'needs alarms.mail_server'],
    ['mail_user = "u"', 'alarms.mail_password'],
  ])('%s is refused', (line, problem) => {
    const [error] = errorsOf({ toml: `[alarms]\n${line}`, privateToOwner: true });
    expect(error).toContain(problem);
  });
});

describe('the table of settings', () => {
  it('gives each setting its own flag and variable', () => {
    const flags = ENTRIES.flatMap(({ flag }) => flag ?? []);
    const variables = ENTRIES.flatMap(({ env }) => env ?? []);
    expect(new Set(flags).size).toBe(flags.length);
    expect(new Set(variables).size).toBe(variables.length);
  });

  it('has the names that scripts and service files rely on', () => {
    const names = Object.fromEntries(ENTRIES.map(({ path, env }) => [path, env]));
    expect(names).toMatchObject({
      'database.url': 'BOOTSTRAX_MONGO_URL',
      'database.daq_url': 'BOOTSTRAX_DAQ_MONGO_URL',
      'database.runs_db': 'BOOTSTRAX_RUNS_DB',
      'database.daq_db': 'BOOTSTRAX_DAQ_DB',
      'host.name': 'BOOTSTRAX_HOST',
      'paths.live_data': 'BOOTSTRAX_LIVE_DATA',
      'paths.output': 'BOOTSTRAX_OUTPUT',
      'paths.state_dir': 'BOOTSTRAX_STATE_DIR',
      'worker.python': 'BOOTSTRAX_PYTHON',
      'worker.context': 'BOOTSTRAX_CONTEXT',
      'targets.default': 'BOOTSTRAX_TARGETS',
    });
  });

  it('accepts every default, as it is written in the file, by its own schema', () => {
    const facts = { hostName: 'a.b', hostRows: [], packageDirectory: '/p', stateHome: '/s' };
    for (const { path, setting, schema } of ENTRIES) {
      const value = defaultIn(setting, facts);
      const parsed = schema.safeParse(asWritten(value, setting));
      expect(parsed.success && parsed.data, path).toEqual(value);
    }
  });
});

describe('a setting that has a new name', () => {
  const toml = '[host]\nslots = 2\n\n[limits]\nclean_up_seconds = 7';
  const secondsOf = (given: Parameters<typeof resolve>[0]) =>
    settingsOf(given).settings.rules.limits.housekeepingSeconds;

  it('is accepted by its earlier name in the file, as a variable and as a flag', () => {
    expect(secondsOf({ toml })).toBe(7);
    expect(secondsOf({ toml, env: { BOOTSTRAX_LIMITS_CLEAN_UP_SECONDS: '8' } })).toBe(8);
    expect(secondsOf({ toml, flags: { '--limits-clean-up-seconds': '9' } })).toBe(9);
  });

  it('says the new name in one line for each place', () => {
    const env = { BOOTSTRAX_ALARMS_LOOK_SECONDS: '5' };
    const { renamed, settings } = settingsOf({ toml, env });
    expect(settings.alarms.pollSeconds).toBe(5);
    expect(renamed).toEqual([
      'BOOTSTRAX_ALARMS_LOOK_SECONDS is now called BOOTSTRAX_ALARMS_POLL_SECONDS; the next release does not know the earlier name',
      '/etc/lab/bootstrax.toml line 5: limits.clean_up_seconds is now called limits.housekeeping_seconds; the next release does not know the earlier name',
    ]);
    expect(settingsOf().renamed).toEqual([]);
  });

  it('counts by its new name where both are given', () => {
    expect(secondsOf({ toml: `${toml}\nhousekeeping_seconds = 6` })).toBe(6);
  });
});

describe('what is wrong is said with its place, what was found and what is expected', () => {
  const table = `[[targets.ladder]]
pattern = "a"
failures = 1

[[targets.ladder]]
pattern = "b"
failures = -1`;

  it.each<[Parameters<typeof resolve>[0], string]>([
    [
      { toml: '\n[host]\n# two\nslots = 1.5' },
      'host.slots (FILE line 4): found 1.5, expected a whole number above 0',
    ],
    [
      { toml: '[host]\nrole = "boss"' },
      'host.role (FILE line 2): found "boss", expected one of primary, backup, never',
    ],
    [
      { toml: '[targets]\nraw_types = [\n  "raw_records",\n]\ndefault = "peaks"' },
      'targets.default (FILE line 5): found "peaks", expected a list of words',
    ],
    [
      { toml: '[dashboard]\nmetrics_addresses = ["10.0.0"]' },
      'dashboard.metrics_addresses (FILE line 2): found ["10.0.0"], expected addresses such as 10.0.0.4 or 10.0.0.0/24',
    ],
    [
      { toml: '[database]\nurl = "me:hush@db.lab"' },
      'database.url (FILE line 2): found a value that is not shown here, expected a URL that begins with mongodb:// or mongodb+srv://',
    ],
    [
      { toml: '[worker]\nwarm_up = "yes"' },
      'worker.warm_up (FILE line 2): found "yes", expected true or false',
    ],
    [
      { env: { BOOTSTRAX_WARM_UP: 'maybe' } },
      'worker.warm_up (BOOTSTRAX_WARM_UP): found "maybe", expected true or false',
    ],
    [
      { flags: { '--dashboard-port': '99999' } },
      'dashboard.port (--dashboard-port): found 99999, expected a whole number from 0 to 65535',
    ],
    [
      { toml: table },
      'targets.ladder (FILE line 7): row 2, failures: found -1, expected a whole number of at least 0',
    ],
    [
      { toml: `${table.replace('-1', '1')}\nfoo = 1` },
      'targets.ladder (FILE line 8): row 2: found foo, expected only pattern, failures',
    ],
    [
      { toml: '[limits]\nhousekeeping_seconds = 0' },
      'limits.housekeeping_seconds (FILE line 2): found 0, expected a number above 0',
    ],
    [{ toml: '[hots]' }, 'hots (FILE line 1): there is no such setting; did you mean host?'],
  ])('%j', (given, message) => {
    expect(errorsOf(given)).toEqual([message.replace('FILE', '/etc/lab/bootstrax.toml')]);
  });
});

describe('settings of Slurm', () => {
  const ON = 'enabled = true\nshared = "/project/bx"\n';
  it.each([
    ['enabled = true', 'slurm.enabled', 'needs slurm.shared as well'],
    [`${ON}extra = ["--wrap=x"]`, 'slurm.extra', 'which bootstrax sets itself'],
    [`${ON}max_pending = 30`, 'slurm.max_pending', 'expected at most slurm.max_jobs, 20'],
    [`${ON}takes = ["live"]`, 'slurm.takes', 'expected a list of debt, reprocess, backlog'],
    ['enabled = true\nshared = "/out/bx"', 'slurm.shared', 'lies in paths.output, /out'],
    ['enabled = true\nshared = "/pro%j/bx"', 'slurm.shared', 'a character in its name'],
  ])('that do not go together are refused, with a reason: %s', (toml, setting, problem) => {
    const [error] = errorsOf({ toml: `[paths]\noutput = "/out"\n[slurm]\n${toml}\n` });
    expect(error).toContain(setting);
    expect(error).toContain(problem);
  });

  it('are off, and complete, where nothing is set', () => {
    const { slurm } = settingsOf().settings;
    expect(slurm).toMatchObject({ enabled: false, shared: null, maxJobs: 20, maxPending: 4 });
    expect(settingsOf({ toml: `[slurm]\n${ON}` }).settings.slurm.enabled).toBe(true);
  });
});
