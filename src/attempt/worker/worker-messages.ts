import { type ServerMessage,serverMessageSchema } from '../attempt.pure.ts';
import { boundedServerMessage } from '../bounded-attempt.pure.ts';

/** A line of the fork server: a message, or why it is none. */
export type ServerLine =
  { kind: 'message'; message: ServerMessage } | { kind: 'unreadable'; problem: string };

/** Reads one line of the fork server's output. */
export function readServerLine(line: string): ServerLine {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { kind: 'unreadable', problem: `not JSON: ${line.slice(0, 200)}` };
  }
  const parsed = serverMessageSchema.safeParse(json);
  if (parsed.success) return { kind: 'message', message: boundedServerMessage(parsed.data) };
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  return { kind: 'unreadable', problem: `${field}: ${issue?.message ?? 'not as expected'}` };
}
