// The texts that a release changes: the changelog, and all places that name the version. Pure.

/** Says of a version in the changelog that it has not been released. */
export const NOT_RELEASED = 'Not released yet.';
const VERSION = /^\d+\.\d+\.\d+$/;

interface Section {
  before: string;
  text: string;
  after: string;
}

/** The section of a version: from its heading to the next one. */
function sectionOf(changelog: string, version: string): Section | null {
  const [before = '', rest] = changelog.split(`\n## ${version}\n`);
  if (rest === undefined) return null;
  const end = rest.indexOf('\n## ');
  return {
    before,
    text: end < 0 ? rest : rest.slice(0, end),
    after: end < 0 ? '' : rest.slice(end),
  };
}

/** What a release is made from. */
export interface Checkout {
  changelog: string;
  version: string;
  next: string;
  /** As `git status --porcelain` shows it. */
  uncommitted: string;
  branch: string;
  tags: readonly string[];
}

/** Why this version cannot be released now; empty if it can. */
export function releaseProblems(checkout: Checkout): string[] {
  const { changelog, version, next, uncommitted, branch, tags } = checkout;
  const section = sectionOf(changelog, version);
  const newest = /^## (\S+)$/m.exec(changelog)?.[1];
  return [
    ...(uncommitted === '' ? [] : ['there are changes that are not committed']),
    ...(branch === 'main' ? [] : [`the branch is ${branch}, and releases are made on main`]),
    ...(tags.includes(`v${version}`) ? [`the tag v${version} is there already`] : []),
    ...(newest === version
      ? []
      : [`CHANGELOG.md begins with ${newest ?? 'no version'}, not with ${version}`]),
    ...(section?.text.includes(NOT_RELEASED) === true
      ? [
          `CHANGELOG.md says "${NOT_RELEASED}" of ${version}: write there in one sentence what it is for`,
        ]
      : []),
    ...(section !== null && !section.text.includes('\n### When you upgrade\n')
      ? [
          `CHANGELOG.md lacks "### When you upgrade" of ${version}: write there what an operator has to do`,
        ]
      : []),
    ...(VERSION.test(next) && isLater(next, version)
      ? []
      : [
          `the next version, ${next || 'not given'}, is none that follows ${version}: make release NEXT=X.Y.Z`,
        ]),
  ];
}

function isLater(next: string, version: string): boolean {
  const present = version.split('.').map(Number);
  const differences = next.split('.').map((part, index) => Number(part) - (present[index] ?? 0));
  return (differences.find((difference) => difference !== 0) ?? 0) > 0;
}

/** The changelog with the released commit, and with a heading for the next version. */
export function changelogAfter(
  changelog: string,
  { version, next, commit }: { version: string; next: string; commit: string },
): string {
  const section = sectionOf(changelog, version);
  if (section === null) throw new Error(`CHANGELOG.md has no section ${version}`);
  const { before, text, after } = section;
  const released = text.replace(/\.(?=\n)/, `: commit \`${commit}\`.`);
  const heading = `\n## ${next}\n\n${NOT_RELEASED}\n\n### Changes\n`;
  return `${before}${heading}\n## ${version}\n${released}${after}`;
}

type Renumber = (text: string, from: string, to: string) => string;

/** Each file that names the version, and where in it. */
export const VERSION_PLACES: Readonly<Record<string, Renumber>> = {
  'package.json': (text, from, to) => text.replace(`"version": "${from}"`, `"version": "${to}"`),
  'package-lock.json': (text, from, to) =>
    text.replace(
      new RegExp(`("name": "bootstrax",\\s+"version": )"${from.replaceAll('.', '\\.')}"`, 'g'),
      `$1"${to}"`,
    ),
  'worker/pyproject.toml': (text, from, to) =>
    text.replace(`version = "${from}"`, `version = "${to}"`),
  'client/pyproject.toml': (text, from, to) =>
    text.replace(`version = "${from}"`, `version = "${to}"`),
  'docs/operation.md': (text, from, to) => text.replaceAll(from, to),
};
