import { Audit } from '../actions/audit.tsx';

/** All actions of people. */
export function ActionsPage({ query }: { query: URLSearchParams }) {
  const before = query.get('before');
  return (
    <>
      <h1>Actions</h1>
      <Audit
        query={before === null ? '' : `before=${encodeURIComponent(before)}`}
        empty="Nobody has requested an action yet."
        named
        older={(next) => `/actions?before=${encodeURIComponent(next)}`}
      />
    </>
  );
}
