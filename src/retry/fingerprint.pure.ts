import type { ExitCause } from '../attempt/outcome.pure.ts';
import { boundedLine } from '../infra/values/bounded.pure.ts';

/** Number of frames that identify a fault. */
const FRAMES = 3;
/** Characters. */
const LONGEST = 500;

interface Frame {
  file: string;
  name: string;
  plugin: boolean;
}

/** The frames of a Python traceback, outermost first, without paths and line numbers. */
function frames(traceback: string): Frame[] {
  return [...traceback.matchAll(/^ *File "([^"\n]*)", line \d+, in (.+)$/gm)].map(
    ([, path = '', name = '']) => ({
      file: path.split('/').at(-1) ?? '',
      name: name.trim(),
      plugin: /\/(plugins|contexts)\//.test(path),
    }),
  );
}

function withoutNumbersAndPaths(text: string): string {
  return text.replace(/(\/[^\s/'",:;)]+)+/g, '<path>').replace(/\d+(\.\d+)?/g, '<n>');
}

/** The innermost frames of plugin code; without any, the innermost frames. */
function place(traceback: string): string {
  const all = frames(traceback);
  const ofPlugins = all.filter(({ plugin }) => plugin);
  const telling = (ofPlugins.length > 0 ? ofPlugins : all).slice(-FRAMES);
  return telling.map(({ file, name }) => `${file}:${name}`).join(' > ');
}

/**
 * Short text that is the same for the same fault in different runs and on different hosts, so that
 * faults can be counted. `stacks`: the stacks of an attempt that was stopped; `reason`: what was missing
 * for an attempt that finished, or could not begin.
 */
export function fingerprint(cause: ExitCause, stacks = '', reason = ''): string {
  return boundedLine(nameOf(cause, stacks, reason), LONGEST);
}

/** Error number of the operating system: it tells a full disk from a lost connection. */
const SAID_BY_SYSTEM = /\[Errno (\d+)\]/;

function nameOf(cause: ExitCause, stacks: string, reason: string): string {
  const hungAt = place(stacks);
  const where = hungAt === '' ? '' : ` at ${hungAt}`;
  switch (cause.kind) {
    case 'strax_error': {
      const at = place(cause.traceback);
      const said = SAID_BY_SYSTEM.exec(cause.message)?.[1];
      const type = said === undefined ? cause.type : `${cause.type} [Errno ${said}]`;
      return `${type} at ${at === '' ? withoutNumbersAndPaths(cause.message) : at}`;
    }
    case 'out_of_memory': {
      const at = place(cause.traceback);
      return at === '' ? 'out_of_memory' : `out_of_memory at ${at}`;
    }
    case 'child_died':
      return cause.signal === null
        ? `child_died code ${cause.code ?? 'unknown'}`
        : `child_died signal ${cause.signal}`;
    case 'timed_out':
      return `timed_out ${cause.which}${where}`;
    case 'no_progress':
    case 'memory_limit':
      return `${cause.kind}${where}`;
    case 'host_problem':
    case 'operator':
    case 'manager':
      return `${cause.kind}: ${withoutNumbersAndPaths(cause.reason)}`;
    case 'finished': {
      const lacked = withoutNumbersAndPaths(reason.replace(/^Run \d+: /, ''));
      // Of many missing files one is enough.
      return lacked === ''
        ? cause.kind
        : `finished: ${lacked.replace(/(<path>, )+(?=<path>)/g, '')}`;
    }
    case 'vanished':
    case 'not_started':
    case 'orphaned':
    case 'superseded':
      return cause.kind;
  }
}
