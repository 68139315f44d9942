import { useState } from 'preact/hooks';

import { CONDITIONS, LOOKS } from '../../../../src/readmodel/run-condition.pure.ts';
import { usePanel } from '../../live.ts';
import { Link, navigate } from '../../router.tsx';

const TEXT_FILTERS = [
  { name: 'mode', label: 'Mode' },
  { name: 'detector', label: 'Detector' },
  { name: 'host', label: 'Host' },
  { name: 'tag', label: 'Tag' },
] as const;
const NUMBER_FILTERS = [
  { name: 'from', label: 'From run' },
  { name: 'to', label: 'To run' },
] as const;
/** Names of all filters, as in the address. */
export const FILTERS = [
  'condition',
  ...[...TEXT_FILTERS, ...NUMBER_FILTERS].map(({ name }) => name),
];

/** The address of the same page with some filters changed. */
export function address(asked: URLSearchParams, changes: Record<string, string | null>): string {
  const next = new URLSearchParams(asked);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text === '' ? '/runs' : `/runs?${text}`;
}

/** The form of the filters. */
export function Filters({ asked }: { asked: URLSearchParams }) {
  const hosts = usePanel('hosts').data ?? [];
  const [more, setMore] = useState([...asked.keys()].some((name) => name !== 'condition'));
  const apply = (form: HTMLFormElement) => {
    const fields = Object.fromEntries(
      [...new FormData(form)].map(([name, value]) => [
        name,
        typeof value === 'string' ? value.trim() : '',
      ]),
    );
    navigate(address(new URLSearchParams(), fields));
  };
  const key = asked.toString();
  return (
    <form
      class={`filters ${more ? '' : 'filters-few'}`}
      aria-label="Filters"
      key={key}
      onSubmit={(event) => {
        event.preventDefault();
        apply(event.currentTarget);
      }}
    >
      <label>
        State
        <select name="condition" onChange={(event) => apply(event.currentTarget.form!)}>
          <option value="">any</option>
          {CONDITIONS.map((condition) => (
            <option
              key={condition}
              value={condition}
              selected={asked.get('condition') === condition}
            >
              {LOOKS[condition].word}
            </option>
          ))}
        </select>
      </label>
      {TEXT_FILTERS.map(({ name, label }) => (
        <label key={name} class="rare">
          {label}
          <input
            name={name}
            defaultValue={asked.get(name) ?? ''}
            placeholder="any"
            list={name === 'host' ? 'known-hosts' : undefined}
            size={12}
          />
        </label>
      ))}
      {NUMBER_FILTERS.map(({ name, label }) => (
        <label key={name} class="rare">
          {label}
          <input
            name={name}
            defaultValue={asked.get(name) ?? ''}
            inputMode="numeric"
            pattern="[0-9]{1,7}"
            placeholder="any"
            size={8}
          />
        </label>
      ))}
      <datalist id="known-hosts">
        {hosts.map(({ host }) => (
          <option key={host} value={host} />
        ))}
      </datalist>
      <button type="submit" class="rare">
        Filter
      </button>
      <button type="button" class="more-filters" onClick={() => setMore(true)}>
        More filters
      </button>
      {key !== '' && (
        <Link to="/runs" class="clear">
          Clear
        </Link>
      )}
    </form>
  );
}

const VIEWS = [
  { word: 'All', query: '' },
  { word: 'Given up', query: 'condition=given_up' },
  { word: 'Set aside', query: 'condition=set_aside' },
  { word: 'Failed, retries', query: 'condition=retrying' },
  { word: 'Debt', query: 'condition=debt' },
  { word: 'Held', query: 'condition=held' },
] as const;

/** The most frequent filters, one click each. */
export function Views({ asked }: { asked: URLSearchParams }) {
  const now = new URLSearchParams(asked);
  now.delete('before');
  return (
    <nav class="choices views" aria-label="Kinds of runs">
      {VIEWS.map(({ word, query }) => (
        <Link
          key={word}
          to={query === '' ? '/runs' : `/runs?${query}`}
          aria-current={now.toString() === query ? 'true' : undefined}
        >
          {word}
        </Link>
      ))}
    </nav>
  );
}
