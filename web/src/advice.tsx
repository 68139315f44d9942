import type { RunAdvice } from '../../src/readmodel/trouble.pure.ts';

/** What a person can do about a trouble: what to check, what not to do, whom to call. */
export function AdviceLines({ advice }: { advice: RunAdvice }) {
  const { check, not, call, fields } = advice;
  return (
    <div class="advice-lines">
      {fields.length > 0 && <Fields fields={fields} />}
      <p>{check}</p>
      {not !== null && <p class="advice-not">{not}</p>}
      <p>Call {call}.</p>
    </div>
  );
}

function Fields({ fields }: { fields: RunAdvice['fields'] }) {
  return (
    <ul class="plain">
      {fields.map(({ field, problem, found, wanted }) => (
        <li key={field}>
          <b>{field}</b> {problem}
          {found !== null && (
            <>
              ; found <code>{found}</code>
            </>
          )}
          {wanted !== null && `; wanted: ${wanted}`}
        </li>
      ))}
    </ul>
  );
}
