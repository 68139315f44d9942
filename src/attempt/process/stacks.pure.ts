/** Longest text that is kept of one attempt. */
const MOST_CHARACTERS = 16_000;
/** Standard library functions in which a thread that has nothing to do waits. */
const IDLE_FILES = new Set([
  'threading.py',
  'queue.py',
  'selectors.py',
  'connection.py',
  'synchronize.py',
  'watch.py',
]);

/** Threads by which a database client watches its servers. */
const BACKGROUND = /\/pymongo\/periodic_executor\.py$/;

interface Stack {
  title: string;
  /** Innermost first, as Python's faulthandler writes them. */
  frames: { path: string; line: string; name: string }[];
}

/**
 * Where a process hangs, from what Python's faulthandler wrote (`stacks.txt`): the threads that do
 * something, written like a traceback. Threads that only wait for others are left out, unless all do,
 * and processes that wait for work in any case.
 */
export function tellingStacks(text: string): string {
  const stacks = parseStacks(text).filter((stack) => !isUnemployed(stack));
  const telling = stacks.filter((stack) => !isIdle(stack));
  const shown = (telling.length > 0 ? telling : stacks).map(asTraceback).join('\n');
  return shown.length <= MOST_CHARACTERS ? shown : `(shortened)\n${shown.slice(-MOST_CHARACTERS)}`;
}

type Frame = [line: string, path: string, number: string, name: string];

function parseStacks(text: string): Stack[] {
  const stacks: Stack[] = [];
  let process = '';
  for (const line of text.split('\n')) {
    const heading = /^=== (.+)$/.exec(line)?.[1];
    if (heading !== undefined) process = heading;
    const thread = /^((?:Current thread|Thread) \S+).* \(most recent call first\):$/.exec(
      line,
    )?.[1];
    if (thread !== undefined) {
      stacks.push({ title: process === '' ? thread : `${process}, ${thread}`, frames: [] });
    }
    const frame = /^ {2}File "(.*)", line (\d+) in (.+)$/.exec(line) as Frame | null;
    if (frame !== null) {
      const [, path, number, name] = frame;
      stacks.at(-1)?.frames.push({ path, line: number, name });
    }
  }
  return stacks.filter(({ frames }) => frames.length > 0);
}

function isIdle({ frames }: Stack): boolean {
  if (frames.some(({ path }) => BACKGROUND.test(path))) return true;
  // Who waits for a database does something, and may do so for ever.
  if (frames.some(({ path }) => path.includes('/pymongo/'))) return false;
  return IDLE_FILES.has(frames[0]?.path.split('/').at(-1) ?? '');
}

/** A process of a pool that waits for something to do: never why anything hangs. */
function isUnemployed(stack: Stack): boolean {
  return isIdle(stack) && stack.frames.some(({ name }) => name === '_process_worker');
}

function asTraceback({ title, frames }: Stack): string {
  const lines = [...frames]
    .reverse()
    .map(({ path, line, name }) => `  File "${path}", line ${line}, in ${name}`);
  return `${title} (most recent call last):\n${lines.join('\n')}\n`;
}
