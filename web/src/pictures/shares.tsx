import { type Picture, shownValues } from '../../../src/features/pictures/pictures.pure.ts';
import { Meter } from '../parts.tsx';
import { short } from './numbers.ts';

/** Percent of the run's time by kind. */
export function SharesTable({ picture }: { picture: Picture }) {
  return (
    <table class="shares">
      <thead>
        <tr>
          <th scope="col">Kind</th>
          <th scope="col">{picture.value.label}</th>
          <th scope="col" aria-label="as a bar" />
        </tr>
      </thead>
      <tbody>
        {picture.lines.map((line) => {
          const share = shownValues(picture, line)[0] ?? 0;
          return (
            <tr key={line.label}>
              <th scope="row">{line.label}</th>
              <td class="num">{short(share)} %</td>
              <td>
                <Meter label={line.label} fraction={share / 100} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
