import { stagingText } from '../attempt/files/staging.pure.ts';
import type { DiskRules } from '../infra/config/rules.pure.ts';
import type { DiskSpace } from '../infra/disk/disk.ts';
import { unknownDefaultTargets } from '../plan/targets.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { memoryProblem } from './memory.pure.ts';

/** Whether this host would take a run now, and what its disk says. */
export interface HostHealth {
  accepting:
    | { ok: true }
    | {
        ok: false;
        kind: 'context' | 'folder' | 'disk' | 'memory' | 'database' | 'quarantine' | 'drained';
        reason: string;
      };
  disk: DiskSpace | null;
  /** Of the live data; null where it does not answer. */
  liveDisk: DiskSpace | null;
}

/** Enough space (reference, section 3.6): both limits must hold. */
export function diskProblem(
  path: string,
  { usedPercent, freeBytes }: DiskSpace,
  rules: DiskRules,
): string | null {
  const freeGb = (freeBytes / 1e9).toFixed(0);
  if (usedPercent >= rules.maxUsedPercent) {
    return `the output disk (${path}) is ${usedPercent.toFixed(1)} % full, the limit is ${rules.maxUsedPercent} %: waiting for space`;
  }
  if (freeBytes <= rules.minFreeBytes) {
    return `the output disk (${path}) has ${freeGb} GB free, ${(rules.minFreeBytes / 1e9).toFixed(0)} GB are needed: waiting for space`;
  }
  return null;
}

/** Checks context, folders, disks and memory of the host. It is called again after a failure, so nobody has to report a repair. */
export async function hostHealth(env: Environment): Promise<HostHealth> {
  const space = (folder: string | undefined) =>
    folder === undefined ? null : env.machine.diskSpace(folder).catch(() => null);
  const [disk, liveDisk] = await Promise.all([
    space(env.outputDirectory),
    space(env.liveDataRoots[0]),
  ]);
  const no = (kind: 'context' | 'folder' | 'disk' | 'memory', reason: string): HostHealth => ({
    accepting: { ok: false, kind, reason },
    disk,
    liveDisk,
  });
  const context = env.executor.ready();
  if (!context.ok) return no('context', context.reason);
  const graph = env.graph();
  const unknown = graph === null ? [] : unknownDefaultTargets(env.rules.targets, graph);
  if (unknown.length > 0) {
    return no(
      'context',
      `the strax context ${env.context} does not make ${unknown.join(', ')}: correct targets.default or the context`,
    );
  }
  const full = disk === null ? null : diskProblem(env.outputDirectory, disk, env.rules.disk);
  if (full !== null) return no('disk', full);
  for (const [name, check] of [
    ['output', () => env.machine.checkWritableFolder(env.outputDirectory)],
    ['state', () => env.attempts.checkFolder()],
  ] as const) {
    const folder = await check();
    if (folder.kind === 'writable') continue;
    return no(
      folder.kind === 'full' ? 'disk' : 'folder',
      `the ${name} folder cannot be used: ${folder.reason}`,
    );
  }
  const folders = { staging: env.stagingDirectory, output: env.outputDirectory };
  const apart = await env.products.stagingProblem(folders);
  if (apart !== null) return no('folder', stagingText(folders, apart));
  for (const root of env.liveDataRoots) {
    const code = await env.machine.unreadable(root);
    if (code !== null) {
      return no('folder', `the live-data folder ${root} cannot be read (${code}): is it mounted?`);
    }
  }
  const short = memoryProblem(env.machine.memoryCapacity(), env.rules.memory);
  if (short !== null) return no('memory', short);
  return { accepting: { ok: true }, disk, liveDisk };
}
