import { describe, expect, it } from 'vitest';

import type { Exit, Result } from '../../../src/attempt/attempt.pure.ts';
import {
  type Ended,
  type ExitCause,
  exitCause,
  outcomeOf,
  reasonText,
  type Verification,
} from '../../../src/attempt/outcome.pure.ts';
import type { Fault } from '../../../src/retry/backoff.pure.ts';
import { fingerprint } from '../../../src/retry/fingerprint.pure.ts';

function exit(changes: Partial<Exit> = {}): Exit {
  return {
    version: 1,
    attempt: 'a',
    code: 1,
    signal: null,
    outOfMemory: false,
    orphaned: false,
    peakMemoryBytes: 0,
    ...changes,
  };
}

function result(changes: Partial<Result> = {}): Result {
  return {
    version: 1,
    attempt: 'a',
    run: 7,
    ok: true,
    error: null,
    products: [],
    skipped: [],
    seconds: 1,
    peakMemoryBytes: 0,
    versions: {},
    ...changes,
  };
}

const ERROR = {
  type: 'ValueError',
  message: 'cannot read chunk',
  traceback: 'Traceback ...',
  plugin: 'peaklets',
  file: '/live_data/000007/000003/reader0_1',
  origin: 'run' as const,
};
const BROKEN = result({ ok: false, error: ERROR });
const NOTHING = { run: 7, started: true, exit: null, result: null, ended: null };
const OK: Verification = { kind: 'ok' };

describe('the cause of an end', () => {
  const ended: Ended = { kind: 'no_progress' };
  const strax: ExitCause = {
    kind: 'strax_error',
    type: 'ValueError',
    message: 'cannot read chunk',
    traceback: 'Traceback ...',
    plugin: 'peaklets',
    file: '/live_data/000007/000003/reader0_1',
  };
  it.each<[string, Parameters<typeof exitCause>[0], ExitCause]>([
    ['result', { ...NOTHING, exit: exit({ code: 0 }), result: result() }, { kind: 'finished' }],
    ['result without exit', { ...NOTHING, result: result() }, { kind: 'finished' }],
    [
      'killed just after',
      { ...NOTHING, exit: exit({ signal: 9 }), result: result(), ended },
      { kind: 'finished' },
    ],
    [
      'superseded',
      { ...NOTHING, result: result(), ended: { kind: 'superseded' } },
      { kind: 'superseded' },
    ],
    [
      'stopped by us',
      { ...NOTHING, exit: exit({ signal: 15, orphaned: true }), result: BROKEN, ended },
      ended,
    ],
    [
      'orphaned',
      { ...NOTHING, exit: exit({ orphaned: true, outOfMemory: true }) },
      { kind: 'orphaned' },
    ],
    [
      'out of memory',
      { ...NOTHING, exit: exit({ signal: 9, outOfMemory: true }) },
      { kind: 'out_of_memory', traceback: '', plugin: null },
    ],
    [
      'out of memory in a worker process',
      { ...NOTHING, exit: exit({ outOfMemory: true }), result: BROKEN },
      { kind: 'out_of_memory', traceback: 'Traceback ...', plugin: 'peaklets' },
    ],
    ['strax', { ...NOTHING, exit: exit(), result: BROKEN }, strax],
    ['strax, exit lost', { ...NOTHING, result: BROKEN }, strax],
    [
      'host',
      {
        ...NOTHING,
        exit: exit(),
        result: result({ ok: false, error: { ...ERROR, origin: 'host' } }),
      },
      { kind: 'host_problem', reason: 'ValueError: cannot read chunk' },
    ],
    ['vanished', NOTHING, { kind: 'vanished' }],
    ['never begun', { ...NOTHING, started: false }, { kind: 'not_started' }],
    [
      'died',
      { ...NOTHING, exit: exit({ code: null, signal: 11 }) },
      { kind: 'child_died', code: null, signal: 11 },
    ],
    [
      'left',
      { ...NOTHING, exit: exit({ code: 3 }) },
      { kind: 'child_died', code: 3, signal: null },
    ],
    [
      'a result that is neither well nor says why',
      { ...NOTHING, exit: exit({ code: 0 }), result: result({ ok: false }) },
      { kind: 'child_died', code: 0, signal: null },
    ],
  ])('%s', (_, end, cause) => {
    expect(exitCause(end)).toEqual(cause);
  });
});

describe('the judgement', () => {
  it('is done if it finished and all is there', () => {
    expect(outcomeOf({ ...NOTHING, result: result() }, OK)).toEqual({ kind: 'done' });
  });

  it('is superseded if the run is somebody else’s', () => {
    const end = { ...NOTHING, result: result(), ended: { kind: 'superseded' } as const };
    expect(outcomeOf(end, OK)).toEqual({ kind: 'superseded' });
  });

  it.each<[string, Partial<Parameters<typeof outcomeOf>[0]>, Fault, RegExp]>([
    [
      'strax',
      { exit: exit(), result: BROKEN },
      'run',
      /^Run 7: strax failed while making peaklets: ValueError: cannot read chunk \(file \/live_data\/000007\/000003\/reader0_1\)$/,
    ],
    ['memory', { exit: exit({ outOfMemory: true }) }, 'run', /want of memory/],
    ['signal', { exit: exit({ signal: 11 }) }, 'run', /without a result, killed by signal 11\.$/],
    ['code', { exit: exit({ code: 3 }) }, 'run', /without a result, exit code 3\.$/],
    ['unknown', { exit: exit({ code: null }) }, 'run', /cause not known/],
    [
      '72 h',
      { ended: { kind: 'timed_out', which: 'processing' } },
      'run',
      /processed for too long/,
    ],
    ['13 h', { ended: { kind: 'timed_out', which: 'after_end' } }, 'run', /too long after its end/],
    ['no write', { ended: { kind: 'no_progress' } }, 'run', /nothing was written/],
    [
      'memory',
      { ended: { kind: 'memory_limit', bytes: 9e9, limitBytes: 8e9, availableBytes: 0.5e9 } },
      'run',
      /used 9\.0 GB of memory \(limit 8\.0 GB, 0\.5 GB left on the machine\) and was stopped/,
    ],
    ['vanished', {}, 'holder_lost', /vanished/],
    ['never begun', { started: false }, 'surroundings', /manager ended before it had started/],
    ['orphaned', { exit: exit({ orphaned: true }) }, 'surroundings', /saw no manager/],
    [
      'host',
      { ended: { kind: 'host_problem', reason: 'no disk' } },
      'surroundings',
      /cannot process it: no disk$/,
    ],
    [
      'operator',
      { ended: { kind: 'operator', reason: 'beam time' } },
      'surroundings',
      /an operator: beam time$/,
    ],
    [
      'manager',
      { ended: { kind: 'manager', reason: 'upgrade' } },
      'surroundings',
      /its manager: upgrade$/,
    ],
  ])('%s', (_, end, fault, reason) => {
    const judgement = outcomeOf({ ...NOTHING, ...end }, OK);
    expect(judgement).toMatchObject({ kind: 'failed', fault });
    if (judgement.kind !== 'failed') return;
    expect(judgement.reason).toMatch(/^Run 7: /);
    expect(judgement.reason).toMatch(reason);
    expect(judgement.cause).toEqual(exitCause({ ...NOTHING, ...end }));
  });

  it('names the culprit and keeps the traceback', () => {
    expect(outcomeOf({ ...NOTHING, result: BROKEN }, OK)).toMatchObject({
      culprit: 'peaklets',
      traceback: 'Traceback ...',
    });
    const memory = { ...NOTHING, exit: exit({ outOfMemory: true }), result: BROKEN };
    expect(outcomeOf(memory, OK)).toMatchObject({
      culprit: 'peaklets',
      traceback: 'Traceback ...',
    });
    expect(outcomeOf(NOTHING, OK)).toMatchObject({ culprit: null, traceback: '' });
  });

  it('names what is known of an error and no more', () => {
    const bare = result({ ok: false, error: { ...ERROR, plugin: null, file: null } });
    expect(outcomeOf({ ...NOTHING, result: bare }, OK)).toMatchObject({
      reason: 'Run 7: strax failed: ValueError: cannot read chunk',
      culprit: null,
    });
  });

  it('is a counted failure if what it made is not right, or the run does not end', () => {
    const end = { ...NOTHING, result: result() };
    expect(outcomeOf(end, { kind: 'bad', problem: 'no chunks.' })).toMatchObject({
      kind: 'failed',
      fault: 'run',
      reason: 'Run 7: its products are not right: no chunks.',
      cause: { kind: 'finished' },
    });
    expect(outcomeOf(end, { kind: 'not_ended' })).toMatchObject({
      kind: 'failed',
      fault: 'run',
      reason: 'Run 7: it was processed, but the DAQ has not written its end.',
    });
  });

  it('does not look at the products of what did not finish', () => {
    expect(outcomeOf({ ...NOTHING, result: BROKEN }, { kind: 'bad', problem: 'x' })).toMatchObject({
      reason: expect.stringContaining('ValueError') as string,
    });
  });
});

describe('the reason in the run document', () => {
  it('is host, reason and traceback, a line each', () => {
    expect(reasonText('eb3.xenon.local', 'it broke', 'Traceback\n  x')).toBe(
      'eb3.xenon.local:\nit broke\nTraceback\n  x',
    );
    expect(reasonText('eb3', 'it broke', '')).toBe('eb3:\nit broke\n');
  });
});

describe('the fingerprint of an error', () => {
  const traceback = (
    prefix: string,
    line: number,
    message: string,
  ) => `Traceback (most recent call last):
  File "${prefix}/strax/context.py", line ${line}, in make
    for _ in self.get_iter():
  File "${prefix}/straxen/plugins/peaklets/peaklets.py", line ${line + 7}, in compute
    hits = self.find(r)
  File "${prefix}/straxen/plugins/peaklets/peaklets.py", line ${line + 99}, in find
    raise ValueError("${message}")
ValueError: ${message}
`;
  const cause = (text: string, message = 'x'): ExitCause => ({
    kind: 'strax_error',
    type: 'ValueError',
    message,
    traceback: text,
    plugin: null,
    file: null,
  });

  it('is the same for the same fault elsewhere', () => {
    const here = fingerprint(cause(traceback('/opt/a', 10, 'run 7 at 3.5')));
    expect(here).toBe('ValueError at peaklets.py:compute > peaklets.py:find');
    expect(fingerprint(cause(traceback('/home/me/lib', 99, 'run 8 at 4')))).toBe(here);
  });

  it('names the innermost frames where none is of a plugin, at most three', () => {
    const frames = ['a', 'b', 'c', 'd'].map(
      (name) => `  File "/lib/${name}.py", line 3, in <${name}>`,
    );
    expect(fingerprint(cause(frames.join('\n')))).toBe(
      'ValueError at b.py:<b> > c.py:<c> > d.py:<d>',
    );
    const contexts =
      '  File "/lib/a.py", line 3, in f\n  File "/w/contexts/small.py", line 4, in g\n';
    expect(fingerprint(cause(`${contexts}  File "/lib/z.py", line 3, in h`))).toBe(
      'ValueError at small.py:g',
    );
  });

  it('names the message without numbers and paths where there is no frame', () => {
    const message = 'chunk 12 of /live_data/000007/x_1: got 3.25, wanted 4';
    expect(fingerprint(cause('', message))).toBe(
      'ValueError at chunk <n> of <path>: got <n>, wanted <n>',
    );
  });

  it.each<[ExitCause, string]>([
    [{ kind: 'out_of_memory', traceback: '', plugin: null }, 'out_of_memory'],
    [
      { kind: 'out_of_memory', traceback: '  File "/x/plugins/a.py", line 1, in f', plugin: null },
      'out_of_memory at a.py:f',
    ],
    [{ kind: 'child_died', code: 3, signal: null }, 'child_died code 3'],
    [{ kind: 'child_died', code: null, signal: null }, 'child_died code unknown'],
    [{ kind: 'child_died', code: null, signal: 11 }, 'child_died signal 11'],
    [{ kind: 'timed_out', which: 'after_end' }, 'timed_out after_end'],
    [{ kind: 'host_problem', reason: 'disk /data 97 %' }, 'host_problem: disk <path> <n> %'],
    [{ kind: 'operator', reason: 'run 7' }, 'operator: run <n>'],
    [{ kind: 'manager', reason: 'x' }, 'manager: x'],
    [{ kind: 'finished' }, 'finished'],
    [{ kind: 'no_progress' }, 'no_progress'],
    [{ kind: 'memory_limit', bytes: 9, limitBytes: 8, availableBytes: 1 }, 'memory_limit'],
    [{ kind: 'vanished' }, 'vanished'],
    [{ kind: 'orphaned' }, 'orphaned'],
    [{ kind: 'superseded' }, 'superseded'],
  ])('says its kind, and where it happened if that is known: %j', (other, expected) => {
    expect(fingerprint(other)).toBe(expected);
  });

  it.each<[Ended, string]>([
    [{ kind: 'no_progress' }, 'no_progress at a.py:f > b.py:g'],
    [{ kind: 'timed_out', which: 'after_end' }, 'timed_out after_end at a.py:f > b.py:g'],
    [
      { kind: 'memory_limit', bytes: 9, limitBytes: 8, availableBytes: 1 },
      'memory_limit at a.py:f > b.py:g',
    ],
    [{ kind: 'operator', reason: 'x' }, 'operator: x'],
  ])('%j names where it was', (ended, expected) => {
    const stacks =
      '  File "/x/plugins/a.py", line 1, in f\n  File "/x/plugins/b.py", line 7, in g\n';
    expect(fingerprint(ended, stacks)).toBe(expected);
    expect(outcomeOf({ ...NOTHING, ended, stacks }, { kind: 'ok' })).toMatchObject({
      kind: 'failed',
      traceback: stacks,
    });
  });
});
