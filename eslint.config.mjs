import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import importSort from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';

/** So that a simulation can own all time, and a test need not wait for it. */
const CLOCK = [
  ['NewExpression[callee.name="Date"][arguments.length=0]', 'clock.now()'],
  ['MemberExpression[object.name="Date"][property.name="now"]', 'clock.now()'],
  ['MemberExpression[object.name="performance"]', 'clock.monotonicSeconds()'],
  ['CallExpression[callee.name=/^set(Timeout|Interval)$/]', 'clock.sleep() or a TaskGroup'],
  ['ImportDeclaration[source.value="node:timers/promises"]', 'clock.sleep()'],
].map(([selector, instead]) => ({
  selector,
  message: `Time comes from the clock of src/infra/clock: ${instead}.`,
}));

/** A field that only its class may see is one for the runtime as well. */
const PRIVATE = {
  selector:
    ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"], TSParameterProperty)[accessibility="private"]',
  message: 'Private is spelt with #.',
};

const NAMED_WRITES = {
  selector:
    'CallExpression[callee.property.name=/^(insertMany|updateMany|replaceOne|bulkWrite|delete(One|Many)|findOneAnd\\w+)$/], ' +
    'CallExpression[callee.property.name=/^(insertOne|updateOne)$/][arguments.0.type="ObjectExpression"]',
  message: 'Write through the Collection of src/infra/mongo/collection.ts, with a name.',
};

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      '.venv/',
      '.demo/',
      '.bench/',
      '.mutation/',
      'coverage/',
      '**/*.cjs',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'simple-import-sort': importSort },
    rules: {
      // Packages first, then our own files, each by name.
      'simple-import-sort/imports': [
        'error',
        { groups: [['^\\u0000'], ['^node:', '^@?\\w'], ['^\\.']] },
      ],
      // What nobody waits for is owned by a TaskGroup (src/infra/concurrency), or given up by name.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Leaving a field out by destructuring is the plain way to say so.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      'no-restricted-syntax': ['error', PRIVATE],
      'no-nested-ternary': 'error',
      // More belong into one object, with names. A row of a table of tests is one: (...[a, b, c]).
      'max-params': ['error', 4],
      // A switch over the kinds of one thing is one decision, and exhaustive (see above).
      complexity: ['error', { max: 15, variant: 'modified' }],
      '@typescript-eslint/no-shadow': 'error',
    },
  },
  {
    // Vitest reports a rejection that nobody handles, and fails the run: `void` is enough there.
    files: ['tests/**', 'bench/**', 'scripts/**'],
    rules: { '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }] },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', PRIVATE, ...CLOCK] },
  },
  {
    // What is written has a name, and with it a crash point on each side (src/infra/crash-points).
    files: ['src/**/*.ts'],
    ignores: [
      'src/infra/disk/durable.ts',
      'src/infra/mongo/collection.ts',
      // Not on a run's way: the files of the embedded server, the key of the control socket.
      'src/infra/mongo/embedded/embedded-server.ts',
      'src/exclusion/control.ts',
      'src/exclusion/folder-socket.ts',
      // Accounts and logins, which no run depends on.
      'src/dashboard/access/private-files.ts',
      // The file that a person asked for.
      'src/cli/site/report/report.command.ts',
      // Into a database that is thrown away.
      'src/features/trial/trial-runs.ts',
    ],
    rules: {
      'no-restricted-imports': [
        'error',
        ...['node:fs', 'node:fs/promises'].map((name) => ({
          name,
          importNames: [
            ...['writeFile', 'appendFile', 'rename', 'rm', 'rmdir', 'unlink', 'truncate'],
            ...['utimes', 'copyFile', 'cp', 'link', 'symlink'],
          ].flatMap((call) => [call, `${call}Sync`]),
          message: 'Write through src/infra/disk/durable.ts.',
        })),
      ],
      'no-restricted-syntax': ['error', NAMED_WRITES, PRIVATE, ...CLOCK],
    },
  },
  {
    // Commands of one shot: each is moved to the clock when it is rewritten as a query or a verb.
    files: ['src/cli/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', NAMED_WRITES, PRIVATE] },
  },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  prettier,
);
