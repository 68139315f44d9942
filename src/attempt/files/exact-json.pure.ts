/** A string, a number, or one of the words that Python writes though JSON has them not. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|-?Infinity|NaN/g;

/**
 * Parses JSON as Python writes it. Integers beyond 2^53, such as times in ns since 1970, come out
 * as strings of their digits: `JSON.parse` would round them, and its reviver does not see the
 * source text in Node 20. NaN and Infinity come out as null.
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(
    text.replace(TOKEN, (token) => {
      if (token.startsWith('"')) return token;
      if (/[a-z]{2}/i.test(token)) return 'null';
      return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token;
    }),
  );
}
