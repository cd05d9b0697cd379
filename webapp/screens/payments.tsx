/** The history: searched, filtered, summed up, and saved as CSV. Only the rows that are seen are drawn. */
import { options } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { startOfDay } from "../core/moments.ts";
import type { PaymentState } from "../core/payment-state.ts";
import { t } from "../i18n/i18n.ts";
import type { Payment, PaymentFilter, PaymentOrigin } from "../model/types.ts";
import { amountText } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Empty, ScreenHead } from "../ui/blocks.tsx";
import { Button, ButtonLink, Select, TextField } from "../ui/controls.tsx";
import { saveFile } from "../ui/files.ts";
import { persistentState } from "../ui/persistent-state.ts";
import { place } from "../ui/router.ts";
import { PaymentRow } from "./payment-row.tsx";

interface TypedFilter {
  readonly text: string;
  readonly state: "all" | "open" | PaymentState;
  readonly origin: "all" | PaymentOrigin;
  /** `YYYY-MM-DD`, or nothing. */
  readonly from: string;
  readonly to: string;
}

const NO_FILTER: TypedFilter = { text: "", state: "all", origin: "all", from: "", to: "" };
const OPEN: readonly PaymentState[] = [
  "draft",
  "sending",
  "not-sent",
  "not-confirmed",
  "refused",
  "timed-out",
  "waiting",
  "delayed",
];
const typed = persistentState<TypedFilter>("filter");

export function Payments() {
  const { model } = useApp();
  const words = t().payments;
  const filter = typed.value ?? NO_FILTER;
  const all = model.payments.value;
  const found = useMemo(() => model.search(readFilter(filter)), [all, filter]);
  const change = (part: Partial<TypedFilter>): void => {
    typed.value = { ...filter, ...part };
  };
  const total = found.reduce((sum, { transfer }) => sum + (transfer?.result?.committedAmount ?? 0n), 0n);
  if (all.length === 0) {
    return (
      <>
        <ScreenHead title={words.title} />
        <Empty icon="payments" title={words.empty} text={words.emptyText}>
          <ButtonLink kind="primary" to="/pay">
            {t().nav.pay}
          </ButtonLink>
        </Empty>
      </>
    );
  }
  return (
    <>
      <ScreenHead title={words.title}>
        <Button
          icon="download"
          disabled={found.length === 0}
          onClick={() => saveFile(words.csvName, "text/csv", model.historyCsv(found))}
        >
          {words.csv}
        </Button>
      </ScreenHead>
      <div class="stack">
        <Filter filter={filter} onChange={change} />
        <div class="row row-between" role="status">
          <p class="muted">{words.sum(found.length, amountText(model, total))}</p>
          {typed.value !== undefined && (
            <Button
              kind="quiet"
              onClick={() => {
                typed.value = undefined;
              }}
            >
              {words.clear}
            </Button>
          )}
        </div>
        {found.length === 0 ? (
          <Empty icon="search" title={words.noMatch} text={words.noMatchText} />
        ) : (
          <PaymentList payments={found} />
        )}
      </div>
    </>
  );
}

function Filter({
  filter,
  onChange,
}: {
  readonly filter: TypedFilter;
  readonly onChange: (change: Partial<TypedFilter>) => void;
}) {
  const words = t().payments;
  const search = useRef<HTMLDivElement>(null);
  const wantsSearch = place.value.query.has("search");
  useEffect(() => {
    if (wantsSearch) search.current?.querySelector("input")?.focus();
  }, [wantsSearch]);
  const isNarrowed = filter.state !== "all" || filter.origin !== "all" || filter.from !== "" || filter.to !== "";
  return (
    <div class="card stack no-print">
      <div ref={search}>
        <TextField
          label={words.search}
          hint={words.searchHint}
          type="search"
          value={filter.text}
          onInput={(text) => onChange({ text })}
        />
      </div>
      <details open={isNarrowed}>
        <summary>{words.filter}</summary>
        <div class="filter">
          <Select
            label={words.state}
            value={filter.state}
            options={{ all: words.all, open: words.open, ...t().states }}
            onChange={(state) => onChange({ state })}
          />
          <Select
            label={words.origin}
            value={filter.origin}
            options={{ all: words.all, ...t().origins }}
            onChange={(origin) => onChange({ origin })}
          />
          <TextField label={words.from} type="date" value={filter.from} onInput={(from) => onChange({ from })} />
          <TextField label={words.to} type="date" value={filter.to} onInput={(to) => onChange({ to })} />
        </div>
      </details>
    </div>
  );
}

function readFilter({ text, state, origin, from, to }: TypedFilter): PaymentFilter {
  return {
    text: text.trim() === "" ? undefined : text.trim(),
    states: state === "all" ? undefined : state === "open" ? OPEN : [state],
    origins: origin === "all" ? undefined : [origin],
    from: startOfDay(from),
    to: startOfDay(to, 1),
  };
}

/** Until the first row has been measured. */
const ROW_PIXELS = 68;
const ROWS_AROUND = 10;

/** A long list, of which only the rows near the window are there. */
function PaymentList({ payments }: { readonly payments: readonly Payment[] }) {
  const list = useRef<HTMLUListElement>(null);
  const [first, setFirst] = useState(0);
  // It depends on the width of the window, on the size of the browser's text, and on how long amounts and units are.
  const [rowPixels, setRowPixels] = useState(ROW_PIXELS);
  const [tallest, setTallest] = useState(0);
  const isPrinting = useIsPrinting();
  const shown = isPrinting ? payments.length : Math.ceil(innerHeight / rowPixels) + 2 * ROWS_AROUND;
  useEffect(() => {
    const look = (): void => {
      const { current } = list;
      if (current === null) return;
      const measured = current.querySelector("li")?.offsetHeight || ROW_PIXELS;
      const top = -current.getBoundingClientRect().top;
      setRowPixels(measured);
      setFirst(Math.max(0, Math.floor(top / measured) - ROWS_AROUND));
    };
    look();
    let width = innerWidth;
    const resized = (): void => {
      // A phone's window gets taller and lower while it is scrolled; that changes no row.
      if (innerWidth !== width) setTallest(0);
      width = innerWidth;
      look();
    };
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", resized);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", resized);
    };
  }, [tallest]);
  useLayoutEffect(() => {
    const links = [...(list.current?.querySelectorAll("a") ?? [])];
    const natural = Math.max(0, ...links.map(({ offsetHeight }) => offsetHeight));
    if (natural > tallest && !isPrinting) setTallest(natural);
  });
  const start = isPrinting ? 0 : Math.min(first, Math.max(0, payments.length - 1));
  const rows = payments.slice(start, start + shown);
  return (
    <div class="card list-card">
      <ul
        ref={list}
        class="list long-list"
        aria-label={t().payments.list}
        style={{
          "--tallest": `${tallest}px`,
          paddingTop: `${start * rowPixels}px`,
          paddingBottom: `${Math.max(0, payments.length - start - rows.length) * rowPixels}px`,
        }}
      >
        {rows.map((payment, index) => (
          <li key={payment.uuid} aria-setsize={payments.length} aria-posinset={start + index + 1}>
            <PaymentRow payment={payment} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Whether the page is being printed: then everything has to be there, before the browser goes on. */
function useIsPrinting(): boolean {
  const [isPrinting, setPrinting] = useState(false);
  useEffect(() => {
    const set = (value: boolean) => (): void => {
      const { debounceRendering } = options;
      options.debounceRendering = (render) => render();
      setPrinting(value);
      options.debounceRendering = debounceRendering as NonNullable<typeof debounceRendering>;
    };
    const [begin, end] = [set(true), set(false)];
    addEventListener("beforeprint", begin);
    addEventListener("afterprint", end);
    return () => {
      removeEventListener("beforeprint", begin);
      removeEventListener("afterprint", end);
    };
  }, []);
  return isPrinting;
}
