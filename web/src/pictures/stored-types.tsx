import { useState } from 'preact/hooks';

import { ratesPerSecond, type StoredType } from '../../../src/features/pictures/pictures.pure.ts';
import { bytes } from '../format.ts';
import { Plot } from '../plot.tsx';
import { short } from './numbers.ts';

/** Rows and bytes per second of each stored type, over the run's time. */
export function StoredTypes({ stored }: { stored: StoredType[] }) {
  const [wanted, setWanted] = useState<string | null>(null);
  const bySize = [...stored].sort((a, b) => b.bytes - a.bytes);
  const chosen = stored.find(({ type }) => type === wanted) ?? bySize[0];
  return (
    <div class="stored-types">
      <div class="scroll" tabIndex={0} role="region" aria-label="Stored types">
        <table>
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col">Rows</th>
              <th scope="col">Rows/s</th>
              <th scope="col">Size</th>
              <th scope="col">Bytes/s</th>
            </tr>
          </thead>
          <tbody>
            {bySize.map((each) => (
              <tr key={each.type} class={each === chosen ? 'chosen' : ''}>
                <th scope="row">
                  <button
                    type="button"
                    class="as-link"
                    aria-pressed={each === chosen}
                    onClick={() => setWanted(each.type)}
                  >
                    {each.type}
                  </button>
                </th>
                <td class="num">{each.rows.toLocaleString('en')}</td>
                <td class="num">{perSecond(each.rows, each, short)}</td>
                <td class="num">{bytes(each.bytes)}</td>
                <td class="num">{perSecond(each.bytes, each, bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen?.series != null && (
        <Plot
          title={`${chosen.type}, as it was made`}
          unit="rows/s"
          rightUnit="bytes/s"
          at={chosen.series.live.map(
            (_, i) => (chosen.series?.start ?? 0) + (i + 0.5) * (chosen.series?.step ?? 1),
          )}
          series={[
            {
              label: 'rows/s',
              values: ratesPerSecond(chosen.series.rows, chosen.series.live),
              colour: '--accent',
            },
            {
              label: 'bytes/s',
              values: ratesPerSecond(chosen.series.bytes, chosen.series.live),
              colour: '--plot-b',
              dash: [4, 4],
              right: true,
            },
          ]}
          format={short}
          rightFormat={bytes}
        />
      )}
    </div>
  );
}

function perSecond(
  amount: number,
  { series }: StoredType,
  format: (value: number) => string,
): string {
  const live = (series?.live ?? []).reduce((sum, each) => sum + each, 0);
  return live > 0 ? format(amount / live) : '–';
}
