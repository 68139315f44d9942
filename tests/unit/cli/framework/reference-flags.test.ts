import { describe, expect, it } from 'vitest';

import { CommandFailure } from '../../../../src/cli/framework/command-failure.ts';
import {
  REFERENCE_FLAGS,
  translateReferenceFlags,
} from '../../../../src/cli/framework/reference-flags.ts';

const translate = (line: string) => {
  const args = line.split(' ').filter((word) => word !== '');
  return translateReferenceFlags(args, () => 48);
};

describe('a command line of the reference', () => {
  // Reference, section 7.
  it.each([
    ['run --production', 'run'],
    ['run --production --infer_mode', 'run --infer-mode'],
    ['run --production --delete_live', 'run --delete-live'],
    ['run --production --undying', 'run'],
    ['run --production --process 7', 'process 7 --now'],
    ['run --production --process=7', 'process 7 --now'],
    ['run --production --fail 7', 'fail 7 --even-done --yes'],
    ['run --production --fail 7 too noisy', 'fail 7 --even-done --yes -- too noisy'],
    ['run --production --abandon 7', 'abandon 7'],
    ['run --production --abandon 7 no good', 'abandon 7 -- no good'],
    ['run --production --cores 12', 'run --resources-fallback-cores=12 --no-infer-mode'],
    ['run --production --cores=12', 'run --resources-fallback-cores=12 --no-infer-mode'],
    ['run --production --cores -1', 'run --resources-fallback-cores=48 --no-infer-mode'],
    ['run --production --cores 4 --infer_mode', 'run --resources-fallback-cores=4 --infer-mode'],
    [
      'run --production --max_messages 6',
      'run --resources-fallback-max-messages=6 --no-infer-mode',
    ],
    ['run --production --targets peaks events_nv', 'run --targets=peaks,events_nv'],
    ['run --production --targets peaks,events_nv', 'run --targets=peaks,events_nv'],
    ['run --production --targets', 'run --targets=raw_records'],
    ['run --production --post_process hits led', 'run --post-processing=hits,led'],
    ['run --production --post_process', 'run --post-processing='],
    ['run --production --fix_target', 'run --fix-target'],
    ['run --production --fix_resources', 'run --fix-resources'],
    ['run --production --ignore_checks', 'run --ignore-checks'],
    ['run --production --processor single_thread', 'run --processor=single_thread'],
    ['run --production --profile night', 'run --profile=night'],
    ['run --test --infer_mode', 'run --infer-mode --test'],
    ['run --test --process 7', 'run --test=7'],
    ['run --production --debug', 'run --debug'],
    ['run --production --infer_mode --delete_live --undying', 'run --infer-mode --delete-live'],
    [
      '--config eb.toml run --production --targets peaks --infer_mode --slots 2 --json',
      '--config eb.toml run --targets=peaks --infer-mode --slots 2 --json',
    ],
    [
      'run --production --process 7 --cores 2 --fix_target',
      'process 7 --now --resources-fallback-cores=2 --fix-target --no-infer-mode',
    ],
  ])('%s -> %s', (line, expected) => {
    expect(translate(line).args.join(' ')).toBe(expected);
  });

  it('has each of its flags here', () => {
    expect(Object.keys(REFERENCE_FLAGS).sort()).toEqual(
      [
        ...['--production', '--infer_mode', '--delete_live', '--undying', '--process', '--fail'],
        ...['--abandon', '--cores', '--max_messages', '--targets', '--post_process'],
        ...['--fix_target', '--fix_resources', '--ignore_checks', '--processor', '--profile'],
        '--debug',
      ].sort(),
    );
  });

  it('keeps a reason that looks like a flag of the command', () => {
    const { args } = translateReferenceFlags(['run', '--abandon', '7', 'see run 6'], () => 1);
    expect(args).toEqual(['abandon', '7', '--', 'see run 6']);
  });

  it.each([
    ['run --process 7 --undying', '--undying is not allowed with --process'],
    ['run --fail 7 --abandon 7', '--abandon is not allowed with --fail'],
    ['run --abandon 7 x --process 7', '--process is not allowed with --abandon'],
    ['run --undying --fail 7', '--fail is not allowed with --undying'],
    ['run --process', '--process needs a value'],
    ['run --fail', '--fail needs a run number'],
    ['run --cores', '--cores needs a value'],
    ['run --cores many', '--cores: "many" is not a whole number'],
    ['run --max_messages 1.5', '--max_messages: "1.5" is not a whole number'],
    ['run --test --production', '--production is not allowed with --test'],
    ['run --test --delete_live', '--delete_live is not allowed with --test'],
    ['run --test --delete-live', '--delete-live is not allowed with --test'],
    ['run --test --fail 7', '--fail is not allowed with --test'],
    ['--production --infer_mode', 'bootstrax run --production --infer_mode'],
  ])('is a usage error: %s', (line, problem) => {
    let error: unknown;
    try {
      translate(line);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(CommandFailure);
    expect((error as CommandFailure).exitCode).toBe(2);
    expect((error as CommandFailure).message).toContain(problem);
  });

  it.each([
    ['run --production --undying', [/^--undying: not needed/]],
    ['run --undying', [/^--undying: not needed/, /test mode/]],
    ['run --infer_mode', [/test mode/]],
    ['run --test --infer_mode', []],
    ['run --production --infer_mode', []],
    ['run --targets peaks --debug', []],
    ['run', []],
  ])('is answered with what its user should know: %s', (line, expected) => {
    const { notes } = translate(line);
    expect(notes).toHaveLength(expected.length);
    expected.forEach((pattern, i) => expect(notes[i]).toMatch(pattern));
  });
});

it.each([
  'status --json',
  'plan --doc - --targets peaks',
  'fail 7 because',
  'process 7',
  '--targets a,b plan --doc -',
  '--config run status',
  'run --config run.toml --output /x',
  '',
])('a command line of this program stays as it is: %s', (line) => {
  expect(translate(line)).toEqual({ args: line.split(' ').filter(Boolean), notes: [] });
});
