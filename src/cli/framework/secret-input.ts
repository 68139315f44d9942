import { CommandFailure } from './command-failure.ts';

const ENTER = ['\r', '\n', '\u0004'];
const INTERRUPT = '\u0003';
const RUB_OUT = ['\u007f', '\b'];
const MOST_CHARACTERS = 10_000;

/** A line that is typed without being seen, or the first line of what is piped in. */
export async function readSecret(prompt: string): Promise<string> {
  const { stdin } = process;
  return stdin.isTTY ? typedUnseen(prompt) : firstLine(stdin);
}

/** A new secret: typed twice on a terminal, since what is typed is not shown. */
export async function readNewSecret(what: string): Promise<string> {
  const secret = await readSecret(`${what}: `);
  if (process.stdin.isTTY && (await readSecret(`${what}, once more: `)) !== secret) {
    throw new CommandFailure(2, 'the two are not the same; nothing has been changed');
  }
  return secret;
}

async function firstLine(stdin: AsyncIterable<Buffer | string>): Promise<string> {
  let text = '';
  for await (const piece of stdin) {
    text += piece.toString();
    if (text.includes('\n') || text.length > MOST_CHARACTERS) break;
  }
  return text.split(/\r?\n/)[0] ?? '';
}

function typedUnseen(prompt: string): Promise<string> {
  const { stdin } = process;
  // Before the prompt is shown: a person may type at once.
  stdin.setRawMode(true);
  process.stderr.write(prompt);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    const end = () => {
      stdin.off('data', take);
      stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write('\n');
    };
    const take = (text: string) => {
      for (const character of text) {
        if (character === INTERRUPT) {
          end();
          return reject(new CommandFailure(2, 'broken off; nothing has been changed'));
        }
        if (ENTER.includes(character)) {
          end();
          return resolve(typed.join(''));
        }
        typed = RUB_OUT.includes(character) ? typed.slice(0, -1) : [...typed, character];
      }
    };
    stdin.on('data', take);
  });
}
