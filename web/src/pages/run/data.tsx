import type { RunAnswer } from '../../../../src/readmodel/api.ts';
import { count } from '../../format.ts';
import { Empty, HostName, Panel, Time } from '../../parts.tsx';
import type { Resource } from '../../resource.ts';

/** Data entries, and deleted data. */
export function Data({ answer }: { answer: Resource<RunAnswer> }) {
  const data = answer.data?.data ?? [];
  const deleted = answer.data?.deleted ?? [];
  const row = answer.data?.row;
  return (
    <Panel title="Data and deletions" class="data" fresh={answer} loading={answer.data === null}>
      {row?.place != null && (
        <p>
          The attempt on {row.host} writes to <span class="path">{row.place}</span>. Its data is
          listed here once it is checked and published.
        </p>
      )}
      {data.length === 0 ? (
        <Empty>No data is listed for this run.</Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Stored data">
          <table>
            <thead>
              <tr>
                <th scope="col">Type</th>
                <th scope="col">Host</th>
                <th scope="col">Place</th>
              </tr>
            </thead>
            <tbody>
              {data.map(({ type, host, location }) => (
                <tr key={`${type} ${host} ${location}`}>
                  <th scope="row">{type}</th>
                  <td>
                    <HostName host={host} />
                  </td>
                  <td class="path">{location}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {deleted.length > 0 && (
        <details>
          <summary>{count(deleted.length, 'deletion')}</summary>
          <ul class="plain">
            {deleted.map(({ type, host, at, by }, i) => (
              <li key={i}>
                {type} on {host}
                {at !== null && (
                  <>
                    , <Time at={at} />
                  </>
                )}
                {by !== null && `, by ${by}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}
