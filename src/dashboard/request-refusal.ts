/** An answer that is not what was asked for; thrown anywhere below a route. */
export class Refusal extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 429,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** The answer, or 404 with this message. */
export function found<T>(answer: T | null, otherwise: string): T {
  if (answer === null) throw new Refusal(404, otherwise);
  return answer;
}
