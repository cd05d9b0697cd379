/** What is around every screen: the navigation, and bars that report problems. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { brandOf } from "../ui/brand.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { useKeptFocus } from "../ui/kept-focus.ts";
import { place } from "../ui/router.ts";
import { Toasts } from "../ui/toasts.tsx";
import { attentionCount } from "./attention.ts";
import { Bars, NewVersionBar } from "./bars.tsx";
import { isGuideDone } from "./guide-steps.ts";
import { DataAge, ReloadButton } from "./reload-button.tsx";

interface Entry {
  readonly to: string;
  readonly icon: IconName;
  readonly name: string;
}

const mainEntries = (): readonly Entry[] => [
  { to: "/", icon: "overview", name: t().nav.overview },
  { to: "/pay", icon: "pay", name: t().nav.pay },
  { to: "/payments", icon: "payments", name: t().nav.payments },
  { to: "/batch", icon: "batch", name: t().nav.batch },
  { to: "/coin", icon: "coin", name: t().nav.coin },
  { to: "/currency", icon: "currency", name: t().nav.currency },
];

const otherEntries = (): readonly Entry[] => [
  { to: "/contacts", icon: "contacts", name: t().nav.contacts },
  { to: "/templates", icon: "template", name: t().nav.templates },
  { to: "/journal", icon: "journal", name: t().nav.journal },
  { to: "/settings", icon: "settings", name: t().nav.settings },
];

const guideEntry = (): Entry => ({ to: "/guide", icon: "guide", name: t().nav.guide });

/** The entries that do not fit into the menu of a phone. */
export const moreEntries = (): readonly Entry[] => [
  ...mainEntries().slice(3, 4),
  ...mainEntries().slice(5),
  ...otherEntries(),
  guideEntry(),
];

const isCurrent = ({ to }: Entry): boolean => (place.value.segments[0] ?? "") === to.slice(1);
const current = (entry: Entry): "page" | undefined => (isCurrent(entry) ? "page" : undefined);

const BrandName = () => <bdi class="ellipsis">{brandOf(useApp())}</bdi>;

function Brand({ children }: { readonly children?: ComponentChildren }) {
  return (
    <a class="brand" href="#/">
      <Logo />
      <span class="brand-text">
        <BrandName />
        {children}
      </span>
    </a>
  );
}

export function Logo({ size = 32 }: { readonly size?: number }) {
  return (
    <svg
      width={`${size / 16}rem`}
      height={`${size / 16}rem`}
      viewBox="0 0 512 512"
      aria-hidden="true"
      focusable="false"
    >
      <rect width="512" height="512" rx="112" fill="#0b5c55" />
      <circle cx="256" cy="256" r="150" fill="none" stroke="#f4efe3" stroke-width="34" />
      <path
        d="M256 172v168M204 220l52-52 52 52"
        fill="none"
        stroke="#f2c14e"
        stroke-width="34"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

function AttentionCount() {
  const { model } = useApp();
  const count = attentionCount(model);
  if (count === 0) return null;
  return (
    <span class="count">
      <span aria-hidden="true">{count}</span>
      <span class="visually-hidden">{t().nav.attention(count)}</span>
    </span>
  );
}

function SideNavigation() {
  const { model } = useApp();
  const links = (entries: readonly Entry[]) =>
    entries.map((entry) => (
      <li key={entry.to}>
        <a href={`#${entry.to}`} aria-current={current(entry)}>
          <Icon name={entry.icon} size={20} />
          {entry.name}
          {entry.to === "/" && <AttentionCount />}
        </a>
      </li>
    ));
  return (
    <nav class="nav-side" aria-label={t().nav.label}>
      <Brand />
      <ul>{links(mainEntries())}</ul>
      <ul class="nav-group">{links(isGuideDone(model) ? otherEntries() : [guideEntry(), ...otherEntries()])}</ul>
    </nav>
  );
}

function BottomNavigation() {
  const [overview, pay, payments, , coin] = mainEntries() as [Entry, Entry, Entry, Entry, Entry];
  const more: Entry = { to: "/more", icon: "more", name: t().nav.more };
  const isMore = isCurrent(more) || moreEntries().some(isCurrent);
  return (
    <nav class="nav-bottom" aria-label={t().nav.label}>
      <ul>
        {[overview, payments, { ...pay, name: t().nav.payShort }, coin, more].map((entry) => (
          <li key={entry.to}>
            <a
              class={entry.to === "/pay" ? "nav-pay" : undefined}
              href={`#${entry.to}`}
              aria-current={entry === more ? (isMore ? "page" : undefined) : current(entry)}
            >
              <span>
                <Icon name={entry.icon} size={22} />
              </span>
              <span>{entry.name}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Around the screens of a user who has signed in. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const main = useRef<HTMLElement>(null);
  useKeptFocus(main);
  return (
    <div class="shell with-nav">
      <button type="button" class="skip-link" onClick={() => document.querySelector("main")?.focus()}>
        {t().common.skip}
      </button>
      <SideNavigation />
      <header class="top-bar">
        <Brand>
          <DataAge />
        </Brand>
        <div class="age">
          <DataAge />
          <ReloadButton />
        </div>
      </header>
      <div class="main-column">
        <div class="print-only print-brand">
          <BrandName />
        </div>
        <Bars />
        <main ref={main} tabIndex={-1}>
          {children}
        </main>
      </div>
      <BottomNavigation />
      <Toasts />
    </div>
  );
}

/** Around the few screens that have no navigation. */
export function BareShell({ children }: { readonly children: ComponentChildren }) {
  const { config } = useApp();
  return (
    <div class="shell">
      <header class="top-bar">
        <span class="brand">
          <Logo />
          <span>{config.siteTitle}</span>
        </span>
      </header>
      <div>
        <div class="bars">
          <NewVersionBar />
        </div>
        <main tabIndex={-1}>{children}</main>
      </div>
      <Toasts />
    </div>
  );
}
