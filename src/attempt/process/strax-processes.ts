import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { readKernelFile } from '../../infra/linux/proc.ts';
import type { ProcessStat } from '../../infra/linux/process-identity.ts';
import { runningProcesses } from '../../infra/linux/processes.ts';
import type { RunFolders, StraxProcess } from './foreign-processes.pure.ts';

/** proc(5), flags: it was forked and has never executed a program, as the reference's children. */
const PF_FORKNOEXEC = 0x40;
const FLAGS_FIELD = 6;
const SCRIPTS = ['bootstrax', 'bootstrax.py'];
const MODULE = 'straxen.scripts.bootstrax';
const UNFINISHED = '_temp';
/** The log of an attempt of this program, wherever its state folder is. */
const ATTEMPT_LOG = /^(.*\/attempts\/([0-9a-f]{24}))\/log\.txt(?: \(deleted\))?$/;

/** The run that is to be begun here. */
export interface RunHere {
  run: number;
  runId: string;
  attempt: string;
  outputDirectory: string;
  liveRoots: readonly string[];
}

/** Processes that are provably of strax, and not of this attempt. Only /proc is read. */
export function straxProcesses(here: RunHere): StraxProcess[] {
  const all = runningProcesses();
  const scripts = new Map(
    all.filter(({ pid }) => namesScript(pid)).map((process) => [process.pid, process]),
  );
  const reference = [...scripts.values()].flatMap((process): StraxProcess[] => {
    const root = rootOf(process, scripts);
    // The manager itself writes nothing.
    if (!isForked(process.pid)) return [];
    return [{ pid: process.pid, orphan: isForked(root.pid), makes: makesOf(process.pid, here) }];
  });
  const own = all.flatMap(({ pid }): StraxProcess[] =>
    isOfAttempt(pid, here) ? [{ pid, orphan: false, makes: 'this' }] : [],
  );
  return [...reference, ...own];
}

/** What strax has begun of the run in the output folder, and not finished. */
export async function unfinishedFolders(
  here: RunHere,
  nowMs: number,
): Promise<Omit<RunFolders, 'wasHere'>> {
  const output = resolve(here.outputDirectory);
  const names = (await readdir(output).catch(() => [])).filter(
    (name) => name.startsWith(`${here.runId}-`) && name.endsWith(UNFINISHED),
  );
  let newestMs: number | null = null;
  for (const name of names) {
    const folder = join(output, name);
    const inside = await readdir(folder).catch(() => []);
    for (const path of [folder, ...inside.map((file) => join(folder, file))]) {
      const changed = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => null,
      );
      if (changed !== null) newestMs = Math.max(newestMs ?? -Infinity, changed);
    }
  }
  return {
    unfinished: names.length > 0,
    quietSeconds: newestMs === null ? null : Math.max(0, (nowMs - newestMs) / 1000),
  };
}

/** Python with the reference's script; ours is run by Node. */
function namesScript(pid: number): boolean {
  const [program = '', ...args] = (readKernelFile(`/proc/${pid}/cmdline`) ?? '').split('\0');
  if (!/^python[\d.]*$/.test(basename(program))) return false;
  const module = args.indexOf('-m');
  if (module !== -1 && args[module + 1] === MODULE) return true;
  const script = args.find((arg) => !arg.startsWith('-'));
  return script !== undefined && SCRIPTS.includes(basename(script));
}

/** The oldest of its forefathers that runs the script. */
function rootOf(process: ProcessStat, scripts: ReadonlyMap<number, ProcessStat>): ProcessStat {
  let root = process;
  for (let steps = 0; steps < scripts.size; steps++) {
    const parent = scripts.get(root.parent);
    if (parent === undefined) break;
    root = parent;
  }
  return root;
}

function isForked(pid: number): boolean {
  const text = readKernelFile(`/proc/${pid}/stat`) ?? '';
  const flags = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[FLAGS_FIELD]);
  return (flags & PF_FORKNOEXEC) !== 0;
}

/** By the products and the live data that it has open now. */
function makesOf(
  pid: number,
  { runId, outputDirectory, liveRoots }: RunHere,
): StraxProcess['makes'] {
  const roots = [outputDirectory, ...liveRoots].map((root) => `${resolve(root)}/`);
  let makes: StraxProcess['makes'] = null;
  for (const path of openPaths(pid)) {
    const root = roots.find((each) => path.startsWith(each));
    const run = root === undefined ? null : /^\d{6,}/.exec(path.slice(root.length))?.[0];
    if (run === runId) return 'this';
    if (run != null) makes = 'other';
  }
  return makes;
}

function openPaths(pid: number): string[] {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return []; // Gone, or another user's.
  }
  return descriptors.flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      return []; // Closed meanwhile.
    }
  });
}

/** Of another attempt at this run with this output, whose state folder may be another one. */
function isOfAttempt(pid: number, { run, attempt, outputDirectory }: RunHere): boolean {
  for (const descriptor of [1, 2]) {
    try {
      const [, directory, id] =
        ATTEMPT_LOG.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? [];
      if (directory === undefined || id === attempt) continue;
      const plan = JSON.parse(readFileSync(join(directory, 'plan.json'), 'utf8')) as {
        run?: unknown;
        outputDirectory?: unknown;
      } | null;
      if (plan?.run === run && typeof plan.outputDirectory === 'string') {
        if (resolve(plan.outputDirectory) === resolve(outputDirectory)) return true;
      }
    } catch {
      // Gone, another user's, or its plan is not there any more.
    }
  }
  return false;
}
