import type { Command } from 'commander';

import { print, printJson } from './output.ts';
import { type Database, withDatabase } from './with-database.ts';

/** How a command is called. */
interface Call {
  /** Below its parent: `bootstrax NAME`, `bootstrax debt NAME`. */
  name: string;
  /** One line for the help. */
  about: string;
  /** Adds its arguments and options, but for `--json`. */
  takes?: (command: Command) => void;
  /** What `--json` prints, for the help. */
  json: string;
}

/** What becomes of an answer. */
interface Shown<Options, Answer> {
  /** For people. */
  draw: (answer: Answer, options: Options) => string;
  /** What `--json` prints, if that is not the answer itself. */
  shape?: (answer: Answer) => unknown;
  /** Exit code 1: a problem was found. */
  isProblem?: (answer: Answer) => boolean;
}

/** A command that reads the databases and shows what it has read. `read` throws what went wrong. */
export interface Query<Options, Args extends unknown[], Answer>
  extends Call, Shown<Options, Answer> {
  read: (database: Database, options: Options, ...args: Args) => Promise<Answer>;
}

/** The same for what needs no database. */
export interface LocalQuery<Options, Args extends unknown[], Answer>
  extends Call, Shown<Options, Answer> {
  read: (command: Command, options: Options, ...args: Args) => Promise<Answer>;
}

/** What a command has done; `--json` prints all its fields. */
export interface Done {
  ok: boolean;
  /** For people: a sentence. */
  message: string;
}

/** A command that changes something. */
export interface Verb<Options, Args extends unknown[], Answer extends Done> extends Call {
  act: (command: Command, options: Options, ...args: Args) => Promise<Answer>;
  /** For people, if there is more to show than the message. */
  draw?: (answer: Answer) => string;
}

/** Adds a command that reads the databases. */
export function query<Options, Args extends unknown[], Answer>(
  parent: Command,
  { read, ...spec }: Query<Options, Args, Answer>,
): Command {
  return localQuery<Options, Args, Answer>(parent, {
    ...spec,
    read: (command, options, ...args) =>
      withDatabase(command, (database) => read(database, options, ...args)),
  });
}

/** Adds a command that reads something else. */
export function localQuery<Options, Args extends unknown[], Answer>(
  parent: Command,
  spec: LocalQuery<Options, Args, Answer>,
): Command {
  const { name, about, takes, json, read, draw, shape, isProblem } = spec;
  const command = parent.command(name).description(about);
  takes?.(command);
  return command.option('--json', json).action(async () => {
    // Those of its parents as well: settings are flags of the program.
    const options = command.optsWithGlobals<Options & { json?: boolean }>();
    // Commander has read them as `takes` says.
    const answer = await read(command, options, ...(command.processedArgs as Args));
    if (options.json) printJson(shape === undefined ? answer : shape(answer));
    else print(draw(answer, options));
    if (isProblem?.(answer)) process.exitCode = 1;
  });
}

/** Adds a command that changes something; exit code 1 if it did not. */
export function verb<Options, Args extends unknown[], Answer extends Done>(
  parent: Command,
  { act, draw, ...call }: Verb<Options, Args, Answer>,
): Command {
  return localQuery<Options, Args, Answer>(parent, {
    ...call,
    read: act,
    draw: draw ?? (({ message }) => message),
    isProblem: ({ ok }) => !ok,
  });
}
