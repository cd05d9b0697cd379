/** The configurations that this device has saved or seen. */
import { cleanName } from "../core/text.ts";
import { formatTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";

const SHOWN_MAX = 50;

export function ConfigVersions() {
  const { model } = useApp();
  const words = t().currency;
  // What every account begins with is no version that anybody wrote.
  const versions = model.configVersions.value
    .filter(({ configData }) => configData !== "")
    .sort((a, b) => (a.latestUpdateId < b.latestUpdateId ? 1 : -1));
  if (versions.length === 0) return null;
  return (
    <section class="card">
      <details>
        <summary>{words.versions}</summary>
        <p class="hint">{words.versionsText}</p>
        <ol class="list" reversed>
          {versions.slice(0, SHOWN_MAX).map(({ latestUpdateId, latestUpdateAt, configData, isOurs }) => (
            <li key={String(latestUpdateId)} class="version">
              <p>
                {formatTime(latestUpdateAt)}, {isOurs ? words.versionOurs : words.versionTheirs}
              </p>
              <code class="small">{cleanName(configData)}</code>
            </li>
          ))}
        </ol>
      </details>
    </section>
  );
}
