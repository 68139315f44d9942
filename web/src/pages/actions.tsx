import { Audit } from '../actions/audit.tsx';

/** Everything that people have asked for. */
export function ActionsPage({ query }: { query: URLSearchParams }) {
  const before = query.get('before');
  return (
    <>
      <h1>Actions</h1>
      <Audit
        query={before === null ? '' : `before=${encodeURIComponent(before)}`}
        empty="Nobody has asked for anything yet."
        named
        older={(next) => `/actions?before=${encodeURIComponent(next)}`}
      />
    </>
  );
}
