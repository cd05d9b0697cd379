/** *New payment*: from a QR code, a file, a text, the address book, a template, or by hand. */
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Card, Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button, FileButton, Form, TextArea } from "../ui/controls.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { navigate } from "../ui/router.ts";
import { drafts } from "./attention.ts";
import { launchedFile } from "./launched-file.ts";
import { openDraft } from "./outcomes.ts";
import { PaymentRow } from "./payment-row.tsx";
import { type Received, receiveFile, receiveText } from "./receive-request.ts";

const ACCEPTED = "image/*,.pr0,.txt,application/vnd.swaptacular.pr0,text/plain";
const SHOWN = 8;

export function NewPayment() {
  const { model } = useApp();
  const words = t().pay;
  const [problem, setProblem] = useState<string | undefined>();
  const [isPasting, setPasting] = useState(false);
  const area = useRef<HTMLDivElement>(null);
  const show = (received: Received): void => {
    if ("uuid" in received) navigate(`/payments/${received.uuid}`);
    else setProblem(received.problem);
  };
  const takeFile = (file: Blob): void => void receiveFile(model, file).then(show);
  const takeText = (text: string): void => void receiveText(model, text).then(show);
  /** What is wrong with the text, for the dialog, which stays open. */
  const takePasted = async (text: string): Promise<string | undefined> => {
    const received = await receiveText(model, text);
    if ("problem" in received) return received.problem;
    setPasting(false);
    show(received);
    return undefined;
  };

  useEffect(() => {
    const file = launchedFile.value;
    if (file === undefined) return;
    launchedFile.value = undefined;
    takeFile(file);
  }, [launchedFile.value]);
  usePasteAndDrop(area, takeFile, takeText, isPasting);

  const paste = async (): Promise<void> => {
    const text = await navigator.clipboard?.readText?.().catch(() => "");
    if (text?.startsWith("PR0")) takeText(text);
    else setPasting(true);
  };
  const unsent = drafts(model);
  return (
    <div ref={area}>
      <ScreenHead title={words.title} />
      <div class="stack">
        <p class="muted">{words.intro}</p>
        {problem !== undefined && (
          <Notice kind="error" title={words.notRead} live>
            <p>{problem}</p>
          </Notice>
        )}
        <div class="tiles tiles-pay">
          <a class="tile tile-primary" href="#/pay/scan">
            <Icon name="camera" size={28} />
            {words.scan}
          </a>
          <FileTile onFile={takeFile} />
          <button type="button" class="tile" onClick={() => void paste()}>
            <Icon name="paste" size={28} />
            {words.paste}
          </button>
          <a class="tile" href="#/pay/by-hand">
            <Icon name="edit" size={28} />
            {words.byHand}
          </a>
        </div>
        <p class="hint only-mouse">{words.drop}</p>
        {unsent.length > 0 && (
          <Card title={words.drafts}>
            <ul class="list">
              {unsent.map((payment) => (
                <li key={payment.uuid}>
                  <PaymentRow payment={payment} />
                </li>
              ))}
            </ul>
          </Card>
        )}
        <div class="columns">
          <FromTemplates />
          <FromContacts />
        </div>
      </div>
      {isPasting && <PasteDialog onText={takePasted} onClose={() => setPasting(false)} />}
    </div>
  );
}

function FileTile({ onFile }: { readonly onFile: (file: File) => void }) {
  return (
    <FileButton tile icon="file" accept={ACCEPTED} onFile={onFile}>
      {t().pay.file}
    </FileButton>
  );
}

function PasteDialog({
  onText,
  onClose,
}: {
  readonly onText: (text: string) => Promise<string | undefined>;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | undefined>();
  const words = t().pay;
  const use = async (): Promise<void> =>
    setProblem(text.trim() === "" ? t().currency.errors.required : await onText(text));
  return (
    <Dialog title={words.pasteTitle} onClose={onClose}>
      <Form onSubmit={use}>
        <TextArea
          label={words.pasteLabel}
          hint={words.pasteHint}
          error={problem}
          value={text}
          rows={8}
          onInput={setText}
        />
        <div class="actions">
          <Button kind="primary" submit>
            {words.pasteUse}
          </Button>
          <Button onClick={onClose}>{t().common.cancel}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

function FromTemplates() {
  const { model } = useApp();
  const templates = model.templates.value;
  if (templates.length === 0) return null;
  const use = async (id: string): Promise<void> => openDraft(await model.draftFromTemplate(id));
  return (
    <Card title={t().pay.fromTemplate} action={<a href="#/templates">{t().common.showAll}</a>}>
      <ul class="list">
        {templates.slice(0, SHOWN).map(({ id, title }) => (
          <li key={id}>
            <button type="button" class="list-button" onClick={() => void use(id)}>
              <bdi class="ellipsis">{title}</bdi>
              <Icon name="forward" size={18} />
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function FromContacts() {
  const { model } = useApp();
  const entries = model.addressBook.value;
  if (entries.length === 0) return null;
  return (
    <Card title={t().pay.fromContact} action={<a href="#/contacts">{t().common.showAll}</a>}>
      <ul class="list">
        {entries.slice(0, SHOWN).map(({ id, name, accountUri }) => (
          <li key={id}>
            <a class="list-button" href={`#/pay/by-hand?to=${encodeURIComponent(accountUri)}`}>
              <bdi class="ellipsis">{name}</bdi>
              <Icon name="forward" size={18} />
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** Files and texts may be dropped on the screen, and pasted anywhere on it. */
function usePasteAndDrop(
  area: { readonly current: HTMLElement | null },
  onFile: (file: Blob) => void,
  onText: (text: string) => void,
  isOff: boolean,
): void {
  useEffect(() => {
    if (isOff) return;
    const take = (data: DataTransfer | null): boolean => {
      const [file] = data?.files ?? [];
      const text = data?.getData("text/plain") ?? "";
      if (file !== undefined) onFile(file);
      else if (text !== "") onText(text);
      return file !== undefined || text !== "";
    };
    const stop = new AbortController();
    const { signal } = stop;
    const mark = (isOver: boolean): void => void area.current?.classList.toggle("drop-here", isOver);
    addEventListener("paste", (event) => take(event.clipboardData) && event.preventDefault(), { signal });
    addEventListener(
      "dragover",
      (event) => {
        event.preventDefault();
        mark(true);
      },
      { signal },
    );
    addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false), { signal });
    addEventListener(
      "drop",
      (event) => {
        event.preventDefault();
        mark(false);
        take(event.dataTransfer);
      },
      { signal },
    );
    return () => stop.abort();
  });
}
