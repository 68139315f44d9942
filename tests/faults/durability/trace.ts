/** System calls that write, rename, force to disk or send. */
export const TRACED = [
  ...['write', 'writev', 'pwrite64', 'pwritev', 'sendto', 'sendmsg'],
  ...['rename', 'renameat', 'renameat2', 'fsync', 'fdatasync', 'syncfs'],
];

/** Options of strace under which `parseTrace` understands what it writes. */
export const STRACE_OPTIONS = [
  // Descriptors are shown with what they stand for, messages to the database as a whole.
  ...['-f', '--seccomp-bpf', '-yy', '-s', '1000000', '-qq', '-e', `trace=${TRACED.join(',')}`],
];

interface Common {
  pid: number;
  /** Lines of the trace on which the call begins, and on which it has ended. */
  begin: number;
  end: number;
}

export type TraceEvent = Common &
  (
    | { kind: 'write'; path: string; text: string }
    | { kind: 'send'; socket: string; text: string }
    | { kind: 'rename'; from: string; to: string }
    /** `fsync`, `fdatasync`: of one file or folder. */
    | { kind: 'sync'; path: string }
    /** `syncfs`: of all that lies on the file system of this folder. */
    | { kind: 'sync_all'; path: string }
  );

const LINE = /^(\d+) +(.*)$/;
const CALL = /^(\w+)\((.*)\) += (-?\d+)/s;
const UNFINISHED = ' <unfinished ...>';
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/s;

/** The calls that succeeded, in the order in which they began. */
export function parseTrace(text: string): TraceEvent[] {
  const events: TraceEvent[] = [];
  const begun = new Map<number, { line: number; text: string }>();
  for (const [line, content] of text.split('\n').entries()) {
    const [, process, rest = ''] = LINE.exec(content) ?? [];
    const pid = Number(process);
    if (rest.endsWith(UNFINISHED)) {
      begun.set(pid, { line, text: rest.slice(0, -UNFINISHED.length) });
      continue;
    }
    const resumed = RESUMED.exec(rest);
    const first = resumed === null ? undefined : begun.get(pid);
    if (resumed !== null && first === undefined) continue;
    const event = eventOf(first === undefined ? rest : `${first.text}${resumed?.[2] ?? ''}`);
    if (event !== null) events.push({ ...event, pid, begin: first?.line ?? line, end: line });
  }
  return events.sort((a, b) => a.begin - b.begin);
}

type WithoutCommon<T> = T extends Common ? Omit<T, keyof Common> : never;

function renameOf(args: string): WithoutCommon<TraceEvent> | null {
  const [from, to] = [...args.matchAll(/"([^"]*)"/g)].map(([, path]) => path);
  return from === undefined || to === undefined ? null : { kind: 'rename', from, to };
}

function eventOf(call: string): WithoutCommon<TraceEvent> | null {
  const [, name = '', args = '', result = '-1'] = CALL.exec(call) ?? [];
  if (Number(result) < 0) return null;
  if (name.startsWith('rename')) return renameOf(args);
  const target = /^\d+<(.*?)>(?=$|,)/s.exec(args)?.[1];
  if (target === undefined) return null;
  if (name === 'syncfs') return { kind: 'sync_all', path: target };
  if (name === 'fsync' || name === 'fdatasync') return { kind: 'sync', path: target };
  if (/^(TCP|TCPv6|UNIX|socket|pipe|anon_inode)/.test(target)) {
    return target.startsWith('TCP') ? { kind: 'send', socket: target, text: args } : null;
  }
  return { kind: 'write', path: target, text: args };
}
