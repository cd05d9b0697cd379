/** Links to the screens that do not fit into the menu of a phone. */
import { t } from "../i18n/i18n.ts";
import { ScreenHead } from "../ui/blocks.tsx";
import { Icon } from "../ui/icon.tsx";
import { moreEntries } from "./shell.tsx";

export function More() {
  return (
    <>
      <ScreenHead title={t().nav.more} />
      <div class="tiles">
        {moreEntries().map(({ to, icon, name }) => (
          <a key={to} class="tile" href={`#${to}`}>
            <Icon name={icon} />
            {name}
          </a>
        ))}
      </div>
    </>
  );
}
