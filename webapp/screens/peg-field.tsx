/** The peg of the currency: another currency, found by its coin, and what one unit is worth in it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { cleanName } from "../core/text.ts";
import { t } from "../i18n/i18n.ts";
import { Scanner } from "../scanner/scanner.tsx";
import { useApp } from "../ui/app.ts";
import { Card, Notice } from "../ui/blocks.tsx";
import { Button, Form, TextField } from "../ui/controls.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { scaleOf, type TypedCurrency, type TypedPeg } from "./currency-form.ts";

export function PegField({
  form,
  error,
  onChange,
  onChoose,
}: {
  readonly form: TypedCurrency;
  readonly error: string | undefined;
  readonly onChange: (peg: TypedPeg | undefined) => void;
  /** Opens the dialog, which has its own form and so must be outside of this one. */
  readonly onChoose: () => void;
}) {
  const words = t().currency;
  const { peg } = form;
  return (
    <Card title={words.worth}>
      <p class="hint">{words.pegHint}</p>
      {peg === undefined ? (
        <>
          {error !== undefined && (
            <Notice kind="error" live>
              <p>{error}</p>
            </Notice>
          )}
          <div class="row">
            <Button icon="link" onClick={onChoose}>
              {words.pegAdd}
            </Button>
          </div>
        </>
      ) : (
        <>
          <TextField
            label={words.pegWorth(scaleOf(form).unit)}
            value={peg.worth}
            error={error}
            inputMode="decimal"
            suffix={cleanName(peg.display.unit)}
            short
            onInput={(worth) => onChange({ ...peg, worth })}
          />
          <p class="muted small">
            {peg.name !== "" && <bdi>{peg.name}, </bdi>}
            <code>{cleanName(peg.debtorIdentityUri)}</code>
          </p>
          <div class="row">
            <Button onClick={onChoose}>{words.pegChange}</Button>
            <Button kind="quiet" onClick={() => onChange(undefined)}>
              {words.pegRemove}
            </Button>
          </div>
        </>
      )}
    </Card>
  );
}

/** Reads the coin of another currency. */
export function PegDialog({
  onPeg,
  onClose,
}: {
  readonly onPeg: (peg: TypedPeg) => void;
  readonly onClose: () => void;
}) {
  const { model, config } = useApp();
  const words = t().currency;
  const [coin, setCoin] = useState("");
  const [problem, setProblem] = useState<string | undefined>();
  const [isScanning, setScanning] = useState(false);
  const [isReading, setReading] = useState(false);
  const isOpen = useRef(true);
  useEffect(
    () => () => {
      isOpen.current = false;
    },
    [],
  );
  const read = async (text: string): Promise<void> => {
    setScanning(false);
    setReading(true);
    const result = await model.readPeg(text).finally(() => setReading(false));
    // The user has canceled meanwhile.
    if (!isOpen.current) return;
    if ("problem" in result) return setProblem(words.pegProblems[result.problem]);
    const { debtorIdentityUri, latestDebtorInfoUri, display } = result.peg;
    onPeg({
      worth: "",
      worthBefore: undefined,
      name: cleanName(result.debtorName),
      debtorIdentityUri,
      latestDebtorInfoUri,
      display,
    });
  };
  const { defaultPegCoin, defaultPegAbbr } = config;
  return (
    <Dialog title={words.pegAdd} onClose={onClose}>
      {isScanning ? (
        <Scanner
          onText={(text) => {
            setCoin(text);
            void read(text);
          }}
        />
      ) : (
        <Form onSubmit={() => read(coin)}>
          <TextField
            label={words.pegCoin}
            hint={words.pegCoinHint}
            error={problem}
            value={coin}
            inputMode="url"
            required
            onInput={setCoin}
          />
          <div class="actions">
            <Button kind="primary" submit disabled={isReading}>
              {isReading ? t().common.loading : words.pegRead}
            </Button>
            <Button icon="camera" onClick={() => setScanning(true)}>
              {words.pegScan}
            </Button>
            {defaultPegCoin !== null && (
              <Button onClick={() => void read(defaultPegCoin)}>
                {words.pegDefault(defaultPegAbbr ?? defaultPegCoin)}
              </Button>
            )}
          </div>
        </Form>
      )}
      <Button kind="quiet" onClick={onClose}>
        {t().common.cancel}
      </Button>
    </Dialog>
  );
}
