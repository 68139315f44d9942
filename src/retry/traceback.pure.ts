/** One exception of a Python traceback. */
export interface RaisedError {
  /** As Python prints it: `pymongo.errors.AutoReconnect`, or `KeyError`. */
  type: string;
  message: string;
  /** Outermost first. */
  frames: readonly Frame[];
  /** How the next one followed: raised `from` this one, or while it was handled; null for the last. */
  ledTo: 'cause' | 'context' | null;
}

export interface Frame {
  path: string;
  name: string;
}

const LINKS =
  /\n(The above exception was the direct cause of the following exception|During handling of the above exception, another exception occurred):\n/;
const FRAME = /^ *File "([^"\n]*)", line \d+, in (.+)$/gm;
const RAISED = /^([A-Za-z_][\w.]*)(?:: ?([^]*))?$/;

/** The frames in a text, in their order. */
export function framesOf(text: string): Frame[] {
  return [...text.matchAll(FRAME)].map(([, path = '', name = '']) => ({ path, name: name.trim() }));
}

/**
 * The exceptions of a traceback as `traceback.format_exception` writes it, the original first. What
 * is quoted inside a message counts as message.
 */
export function raisedErrors(traceback: string): RaisedError[] {
  const pieces = traceback.split(LINKS);
  const errors: RaisedError[] = [];
  for (let i = 0; i < pieces.length; i += 2) {
    const error = raisedError(pieces[i] ?? '');
    if (error !== null) errors.push({ ...error, ledTo: meaningOf(pieces[i + 1]) });
  }
  return errors;
}

function meaningOf(link: string | undefined): RaisedError['ledTo'] {
  if (link === undefined) return null;
  return link.startsWith('The above') ? 'cause' : 'context';
}

function raisedError(text: string): Omit<RaisedError, 'ledTo'> | null {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('Traceback (most recent call last)'));
  const isHeading = (line: string, i: number) => i > first && /^[A-Za-z_]/.test(line);
  const heading = lines.findIndex(isHeading);
  if (heading === -1) return null;
  const raised = RAISED.exec(lines.slice(heading).join('\n').trim());
  const frames = framesOf(lines.slice(0, heading).join('\n'));
  const [, type = '', message = ''] = raised ?? [null, '', lines[heading]];
  return { type, message, frames };
}
