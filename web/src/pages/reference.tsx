import type { ApiDescription } from '../../../src/dashboard/api-description.ts';
import { type Asked, bodySchema, curlCommand, parameterWords } from '../api-words.ts';
import { Panel } from '../parts.tsx';
import { useResource } from '../resource.ts';

/** It changes with the server alone. */
const EVERY_SECONDS = 3600;

/** Every address of the API, from its own description. */
export function ReferencePage() {
  const answer = useResource<ApiDescription>('/api/schema', EVERY_SECONDS);
  const asked = askedOf(answer.data);
  return (
    <>
      <h1>API</h1>
      <p>
        For programs: <a href="/api/schema">the same as OpenAPI 3.1</a>. From Python:{' '}
        <code>bootstrax_client</code>; a login with curl: <code>docs/python-client.md</code>.
      </p>
      <Panel
        title={`bootstrax ${answer.data?.info.version ?? ''}`}
        class="reference"
        fresh={answer}
        loading={answer.data === null}
      >
        {asked.map((each) => (
          <Operation key={`${each.method} ${each.path}`} asked={each} />
        ))}
        <Refusals asked={asked} />
      </Panel>
    </>
  );
}

function Operation({ asked }: { asked: Asked }) {
  const { method, path, operation } = asked;
  const body = bodySchema(operation);
  return (
    <section class="operation">
      <h3>
        <span class="mark">{method}</span> <code>{path}</code>
      </h3>
      <p>{operation.summary}</p>
      {operation.parameters.length > 0 && (
        <dl class="parameters">
          {operation.parameters.map((each) => (
            <div key={each.name}>
              <dt>
                <code>{each.name}</code> <span class="quiet">{each.in}</span>
              </dt>
              <dd>{parameterWords(each)}</dd>
            </div>
          ))}
        </dl>
      )}
      {body !== null && (
        <details>
          <summary>Body</summary>
          <pre>{JSON.stringify(body, null, 2)}</pre>
        </details>
      )}
      <pre class="command">{curlCommand(asked, location.origin)}</pre>
    </section>
  );
}

/** What is answered where the request is not: each once. */
function Refusals({ asked }: { asked: readonly Asked[] }) {
  const refusals = new Map(
    asked
      .flatMap(({ operation }) => Object.entries(operation.responses))
      .filter(([status]) => status !== '200')
      .map(([status, { description }]) => [status, description] as const)
      .sort(([a], [b]) => a.localeCompare(b)),
  );
  return (
    <section class="operation">
      <h3>Refusals</h3>
      <p>
        Each is JSON: <code>{'{"error": SENTENCE}'}</code>
      </p>
      <dl class="parameters">
        {[...refusals].map(([status, description]) => (
          <div key={status}>
            <dt>{status}</dt>
            <dd>{description}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function askedOf(description: ApiDescription | null): Asked[] {
  return Object.entries(description?.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation === undefined ? [] : [{ method: method.toUpperCase(), path, operation }],
    ),
  );
}
