import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Upload, UploadReport } from "@shared/shapes.ts";
import { rowsText } from "./import_words.ts";

const SHOWN_MOST = 200;

/** What the list does: the figures first. */
export function Counts({ report }: { report: UploadReport }) {
  const words = useWords().registry.list.outcome;
  const figures = [
    ["added", report.added],
    ["changed", report.changed],
    ["unchanged", report.unchanged],
    ["rejected", report.rejected.length],
  ] as const;
  return (
    <dl class="reg-counts">
      {figures.map(([name, count]) => (
        <div key={name}>
          <dt>
            {name === "rejected" ? <Icon name="warn" size={14} /> : <i class={`reg-dot ${name}`} />}
            {words[name]}
          </dt>
          <dd data-outcome={name}>{count}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Every row that cannot be used, by its number in the file. */
export function RejectedRows({ report }: { report: UploadReport }) {
  const words = useWords().registry.list;
  const { rejected } = report;
  if (rejected.length === 0) return null;
  return (
    <section class="reg-group">
      <h2>{words.rejectedTitle(rejected.length)}</h2>
      <table class="reg-table">
        <thead>
          <tr>
            <th class="number" scope="col">
              {words.row}
            </th>
            <th scope="col">{words.reason}</th>
          </tr>
        </thead>
        <tbody>
          {rejected.slice(0, SHOWN_MOST).map(({ row, reason }) => (
            <tr key={row}>
              <td class="number">{row}</td>
              <td>{reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rejected.length > SHOWN_MOST ? (
        <p class="reg-hint">{words.andMore(rejected.length - SHOWN_MOST)}</p>
      ) : null}
    </section>
  );
}

/** What a person should look at before the list is taken over. */
export function Warnings({ upload }: { upload: Upload }) {
  const words = useWords().registry.list;
  if (upload.warnings.length === 0) return null;
  return (
    <section class="reg-group">
      <h2>{words.warningsTitle(upload.warnings.length)}</h2>
      <ul class="reg-warnings">
        {upload.warnings.map((warning) => (
          <li key={`${warning.code} ${warning.text}`}>
            <Icon name="warn" />
            <div>
              <p>{warning.text}</p>
              {warning.rows.length ? <p class="reg-hint">{words.rows(rowsText(warning.rows))}</p> : null}
              {warning.proposal ? (
                <p>
                  {words.proposal} · <b>{warning.proposal}</b>
                </p>
              ) : null}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
