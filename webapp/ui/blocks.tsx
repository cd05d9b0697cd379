/** What screens are made of: their head, cards, notices, facts, states, and what is shown when there is nothing. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formatTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import { useApp } from "./app.ts";
import { brandOf } from "./brand.ts";
import { Icon, type IconName } from "./icon.tsx";
import { scrollToPlace } from "./router.ts";

/** The heading of a screen, which gets the focus when the screen appears. */
export function ScreenHead({
  title,
  back,
  children,
}: {
  readonly title: string;
  readonly back?: { readonly to: string; readonly label: string } | undefined;
  readonly children?: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const brand = brandOf(useApp());
  useEffect(() => {
    document.title = `${title} – ${brand}`;
  }, [title, brand]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    scrollToPlace();
  }, [title]);
  return (
    <div class="screen-head">
      <div>
        {back !== undefined && (
          <a class="back no-print" href={`#${back.to}`}>
            <Icon name="back" size={18} />
            {back.label}
          </a>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
      </div>
      {children !== undefined && <div class="row no-print">{children}</div>}
    </div>
  );
}

/** A group of things that belong together. */
export function Card({
  title,
  action,
  children,
}: {
  readonly title?: string;
  readonly action?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="card stack">
      {title !== undefined && (
        <div class="card-head">
          <h2>{title}</h2>
          {action}
        </div>
      )}
      {children}
    </section>
  );
}

type NoticeKind = "info" | "warn" | "error" | "ok";
const noticeIcons = { info: "info", warn: "warning", error: "warning", ok: "check" } as const;

/** Something that the user should know. `live`: it appears while the user is at something else. */
export function Notice({
  kind = "info",
  title,
  live = false,
  children,
}: {
  readonly kind?: NoticeKind;
  readonly title?: string;
  readonly live?: boolean;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class={`notice notice-${kind}`} role={live ? (kind === "error" ? "alert" : "status") : undefined}>
      <Icon name={noticeIcons[kind]} size={22} />
      <div>
        {title !== undefined && <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}

type StatusKind = "plain" | "ok" | "warn" | "error" | "info";

/** A state in one or two words, with a sign of its own: never by colour alone. */
export function Status({
  kind,
  icon,
  children,
}: {
  readonly kind: StatusKind;
  readonly icon: IconName;
  readonly children: ComponentChildren;
}) {
  return (
    <span class={`status ${kind === "plain" ? "" : `status-${kind}`}`}>
      <Icon name={icon} size={15} />
      {children}
    </span>
  );
}

/** Facts about one thing. Those that are not there are left out. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== "" && value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Nothing is there yet: says why, and what one can do. */
export function Empty({
  icon,
  title,
  text,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly text: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} size={40} />
      <h2>{title}</h2>
      <p class="muted">{text}</p>
      {children !== undefined && <div class="row">{children}</div>}
    </div>
  );
}

/** Work is under way. */
export function Busy({ children }: { readonly children?: ComponentChildren }) {
  return (
    <div class="row" role="status">
      <span class="spinner" />
      <span>{children ?? t().common.loading}</span>
    </div>
  );
}

/** A moment, with the machine's form of it. */
export function Time({ at }: { readonly at: number | string }) {
  const millis = typeof at === "number" ? at : Date.parse(at);
  const iso = Number.isNaN(millis) ? undefined : new Date(millis).toISOString();
  return <time dateTime={iso}>{formatTime(at)}</time>;
}
