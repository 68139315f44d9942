import ts from 'typescript';

export interface Title {
  /** With the titles of the suites around it, as the report shows it. */
  text: string;
  line: number;
}

const SUITE = /^describe\b/;
const TEST = /^(test|it)\b/;

/** Full titles of the tests of a file; those that are not a literal are left out. */
export function titlesIn(source: string): Title[] {
  const file = ts.createSourceFile('x.tsx', source, ts.ScriptTarget.Latest, true);
  const found: Title[] = [];
  const visit = (node: ts.Node, above: string): void => {
    if (!ts.isCallExpression(node)) {
      ts.forEachChild(node, (child) => visit(child, above));
      return;
    }
    const called = node.expression.getText(file);
    const own = textOf(node.arguments[0]);
    const text = own === null ? null : `${above} ${own}`.trim();
    if (TEST.test(called) && text !== null && node.arguments.length > 1) {
      found.push({ text, line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1 });
    }
    const below = SUITE.test(called) && text !== null ? text : above;
    ts.forEachChild(node, (child) => visit(child, below));
  };
  visit(file, '');
  return found;
}

function textOf(node: ts.Node | undefined): string | null {
  if (node === undefined) return null;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  }
  return null;
}

/** Forms that are verbs wherever they stand in a title. */
const VERBS = new Set(
  (
    'is are was were be been has have had does do did can cannot may must will would need should ' +
    'am get go come take make say tell count give lose set keep find leave end'
  ).split(' '),
);
const FEWEST_WORDS = 3;

/** What keeps a title from being a sentence that says what broke; null if nothing does. */
export function faultOf(text: string): string | null {
  const words = text.toLowerCase().match(/[\p{L}’'_$%]+/gu) ?? [];
  if (words.length < FEWEST_WORDS) return `it has fewer than ${FEWEST_WORDS} words`;
  // A verb in the present or past, or a plural, which cannot be told from it: a noun alone has neither.
  const isVerb = (word: string) => VERBS.has(word) || /[^s]s$|ed$/.test(word);
  return words.some(isVerb) ? null : 'it has no verb';
}
