/** Chooses the screen for the phase of the client and the address. */
import { Component, type ComponentChildren } from "preact";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Busy, Empty, Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button, ButtonLink } from "../ui/controls.tsx";
import { Keys } from "../ui/keys.tsx";
import { place } from "../ui/router.ts";
import { BatchesScreen, BatchScreen } from "./batch.tsx";
import { CoinScreen } from "./coin.tsx";
import { Contacts } from "./contacts.tsx";
import { CurrencyScreen } from "./currency.tsx";
import { Guide } from "./guide.tsx";
import { JournalScreen } from "./journal.tsx";
import { isIssuerKnown } from "./known-issuer.ts";
import { More } from "./more.tsx";
import { NewPayment } from "./new-payment.tsx";
import { reload } from "./outcomes.ts";
import { Overview } from "./overview.tsx";
import { PaymentScreen } from "./payment.tsx";
import { Payments } from "./payments.tsx";
import { ScanPayment } from "./scan-payment.tsx";
import { Settings } from "./settings.tsx";
import { BareShell, Shell } from "./shell.tsx";
import { NotAnIssuer, SignIn } from "./sign-in.tsx";
import { Templates } from "./templates.tsx";
import { TypedPayment } from "./typed-payment.tsx";

export function Root() {
  const { model, auth } = useApp();
  switch (model.phase.value) {
    case "starting":
      // Without a token and without data there is no reason to wait for the database.
      if (!auth.isSignedIn.value && !isIssuerKnown()) {
        return (
          <BareShell>
            <SignIn />
          </BareShell>
        );
      }
      return (
        <BareShell>
          <div class="centered">
            <Busy />
          </div>
        </BareShell>
      );
    case "signed-out":
      return (
        <BareShell>
          <SignIn />
        </BareShell>
      );
    case "not-an-issuer":
      return (
        <BareShell>
          <NotAnIssuer />
        </BareShell>
      );
    case "outdated":
      return (
        <BareShell>
          <Empty icon="reload" title={t().bars.outdatedTitle} text={t().bars.outdatedText}>
            <Button kind="primary" onClick={() => location.reload()}>
              {t().bars.outdatedAction}
            </Button>
          </Empty>
        </BareShell>
      );
    case "inactive":
    case "no-storage":
    case "ready":
      return (
        <Shell>
          <ErrorBoundary key={place.value.segments.join("/")}>
            <Screen />
          </ErrorBoundary>
          <Keys onReload={() => void reload(model)} />
        </Shell>
      );
  }
}

function Screen() {
  const [first = "", second, ...others] = place.value.segments;
  const screen = others.length > 0 ? undefined : second === undefined ? screens[first] : undefined;
  if (screen !== undefined) return screen();
  if (first === "payments" && second !== undefined) return <PaymentScreen key={second} uuid={second} />;
  if (first === "batch" && second !== undefined) return <BatchScreen key={second} id={second} />;
  if (first === "pay" && second === "scan") return <ScanPayment />;
  if (first === "pay" && second === "by-hand") return <TypedPayment />;
  return <NotFound />;
}

const screens: Readonly<Record<string, () => ComponentChildren>> = {
  "": () => <Overview />,
  guide: () => <Guide />,
  pay: () => <NewPayment />,
  payments: () => <Payments />,
  batch: () => <BatchesScreen />,
  coin: () => <CoinScreen />,
  currency: () => <CurrencyScreen />,
  contacts: () => <Contacts />,
  templates: () => <Templates />,
  journal: () => <JournalScreen />,
  settings: () => <Settings />,
  more: () => <More />,
};

function NotFound() {
  return (
    <>
      <ScreenHead title={t().problems.notFound} />
      <Empty icon="search" title={t().problems.notFound} text={t().problems.notFoundText}>
        <ButtonLink to="/">{t().guide.toOverview}</ButtonLink>
      </Empty>
    </>
  );
}

/** An exception in one screen leaves the others usable. */
class ErrorBoundary extends Component<{ readonly children: ComponentChildren }, { error: unknown }> {
  override state = { error: undefined as unknown };
  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ error });
  }
  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <Notice kind="error" title={t().problems.crashed} live>
        <p>{t().problems.crashedText}</p>
        <div class="row">
          <Button onClick={() => location.reload()}>{t().bars.outdatedAction}</Button>
        </div>
      </Notice>
    );
  }
}
