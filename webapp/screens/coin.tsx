/** The coin, to save, print and share; and the request with which holders return money. */
import { useEffect } from "preact/hooks";
import { PAYMENT_REQUEST_TYPE } from "../core/payment-request.ts";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Busy, Card, Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button, ButtonLink } from "../ui/controls.tsx";
import { canShare, copyText, fileName, saveFile, shareText } from "../ui/files.ts";
import { QrCode, saveQrPng, saveQrSvg } from "../ui/qr-code.tsx";
import { coinSeen, isGuideDone } from "./guide-steps.ts";

export function CoinScreen() {
  const { model } = useApp();
  const words = t().coin;
  const coin = model.coin.value;
  const info = model.currency.value?.info;
  const document = info?.status === "read" ? info.document : undefined;
  const name = cleanName(document?.debtorName ?? "");
  const isDescribed = info !== undefined && info.status !== "none";
  const wasGuideDone = isGuideDone(model);
  useEffect(() => {
    if (isDescribed) coinSeen();
  }, [isDescribed]);
  if (coin === undefined) {
    return (
      <>
        <ScreenHead title={words.title} />
        <Busy />
      </>
    );
  }
  return (
    <>
      <ScreenHead title={words.title} />
      <div class="stack">
        {!isDescribed && (
          <Notice kind="warn">
            <p>{words.notConfigured}</p>
            <div class="row">
              <ButtonLink kind="primary" to="/currency">
                {t().guide.step1Action}
              </ButtonLink>
            </div>
          </Notice>
        )}
        {coin.warnings.map((warning) => (
          <Notice key={warning} kind="warn">
            <p>{words.warnings[warning]}</p>
          </Notice>
        ))}
        <section class="card coin">
          <div class="coin-code">
            <QrCode text={coin.text} label={words.qrLabel(name)} />
          </div>
          <div class="stack">
            {name !== "" && (
              <h2 class="coin-name">
                <bdi>{name}</bdi> <span class="unit">{cleanName(document?.unit ?? "")}</span>
              </h2>
            )}
            <p class="muted no-print">{words.intro}</p>
            <p class="print-only">{words.printHint}</p>
            <div class="field">
              <span class="legend no-print">{words.text}</span>
              <code class="coin-text">{coin.text}</code>
            </div>
            <div class="button-grid no-print">
              <Button kind="primary" icon="copy" onClick={() => void copyText(coin.text)}>
                {words.copyText}
              </Button>
              {canShare() && (
                <Button icon="share" onClick={() => void shareText(words.shareTitle(name), coin.text)}>
                  {t().common.share}
                </Button>
              )}
              <Button icon="print" onClick={() => print()}>
                {words.print}
              </Button>
              <Button icon="download" onClick={() => void saveQrPng(coin.text, fileName(`coin-${name}`, "png"))}>
                {words.png}
              </Button>
              <Button icon="download" onClick={() => void saveQrSvg(coin.text, fileName(`coin-${name}`, "svg"))}>
                {words.svg}
              </Button>
            </div>
          </div>
        </section>
        {!wasGuideDone && isDescribed && (
          <div class="row no-print">
            <ButtonLink kind="primary" to="/guide">
              {words.seen}
            </ButtonLink>
          </div>
        )}
        {isDescribed && <DestroyMoney name={name} />}
      </div>
    </>
  );
}

function DestroyMoney({ name }: { readonly name: string }) {
  const { model } = useApp();
  const words = t().coin;
  const request = model.destroyMoneyRequest();
  if (request === undefined) return null;
  return (
    <div class="no-print">
      <Card title={words.destroy}>
        <p class="muted">{words.destroyText}</p>
        <details>
          <summary>{words.destroyQr}</summary>
          <QrCode text={request} label={words.destroyQr} />
        </details>
        <div class="row">
          <Button
            icon="file"
            onClick={() => saveFile(fileName(`return-${name}`, "pr0"), PAYMENT_REQUEST_TYPE, request)}
          >
            {words.destroyFile}
          </Button>
        </div>
      </Card>
    </div>
  );
}
