import { readFile } from 'node:fs/promises';

/** Whether a file system is mounted on exactly this folder; `path` without symbolic links. */
export async function isMountPoint(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => unescaped(line.split(' ')[4] ?? '') === path);
}

/** Spaces and the like stand there as octal numbers. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
