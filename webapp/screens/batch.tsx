/** Batches: a file is checked as a whole, then its payments are made one after the other. */
import { useComputed } from "@preact/signals";
import { useState } from "preact/hooks";
import { cleanName } from "../core/text.ts";
import { formatTime } from "../i18n/format.ts";
import { t } from "../i18n/i18n.ts";
import type { Batch } from "../model/types.ts";
import { Amount, amountText } from "../ui/amount.tsx";
import { useApp } from "../ui/app.ts";
import { Card, Empty, Notice, ScreenHead, Status } from "../ui/blocks.tsx";
import { Button, ButtonLink, FileButton, TextField } from "../ui/controls.tsx";
import { fileName, readFile, saveFile } from "../ui/files.ts";
import { navigate } from "../ui/router.ts";
import { announce } from "../ui/toasts.tsx";
import { BatchRows } from "./batch-rows.tsx";
import { announceUnlessDone } from "./outcomes.ts";
import { PaymentRow } from "./payment-row.tsx";

interface Opened {
  readonly name: string;
  readonly file: Uint8Array;
}

export function BatchesScreen() {
  const { model } = useApp();
  const words = t().batch;
  const [opened, setOpened] = useState<Opened | undefined>();
  const [isUnreadable, setUnreadable] = useState(false);
  const open = async (file: File): Promise<void> => {
    const bytes = await readFile(file);
    setUnreadable(bytes === undefined);
    if (bytes === undefined) return;
    setOpened({ name: cleanName(file.name.replace(/\.[^.]*$/, "")), file: bytes });
  };
  if (opened !== undefined) return <CheckedBatch {...opened} onLeave={() => setOpened(undefined)} />;
  const identity = model.debtor.value?.identityUri ?? "swpt:1";
  const example = `recipient,amount,name,reference,description\n${identity}/17,12.5,Alice,2026-01,Wages\n`;
  return (
    <>
      <ScreenHead title={words.title} />
      <div class="stack">
        {isUnreadable && (
          <Notice kind="error" live>
            <p>{t().common.unreadableFile}</p>
          </Notice>
        )}
        <Card>
          <p>{words.intro}</p>
          <p class="muted">{words.columns}</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
          <pre class="sample small" dir="ltr" tabIndex={0}>
            <code>{example.trim()}</code>
          </pre>
          <div class="row">
            <FileButton kind="primary" icon="file" accept=".csv,text/csv,text/plain" onFile={(file) => void open(file)}>
              {words.open}
            </FileButton>
            <Button icon="download" onClick={() => saveFile(words.exampleName, "text/csv", example)}>
              {words.example}
            </Button>
          </div>
        </Card>
        {model.batches.value.length > 0 && (
          <Card title={words.earlier}>
            <ul class="list">
              {model.batches.value.map((batch) => (
                <li key={batch.id}>
                  <a class="list-link" href={`#/batch/${batch.id}`}>
                    <bdi class="ellipsis">{cleanName(batch.name)}</bdi>
                    <BatchStatus batch={batch} />
                    <span class="muted small">{formatTime(batch.createdAt)}</span>
                    <span class="muted small">{words.progress(batch.sent, batch.total)}</span>
                  </a>
                </li>
              ))}
            </ul>
          </Card>
        )}
      </div>
    </>
  );
}

function BatchStatus({ batch: { status, isRunningHere } }: { readonly batch: Batch }) {
  const words = t().batch.status;
  if (status === "finished") {
    return (
      <Status kind="ok" icon="check">
        {words.finished}
      </Status>
    );
  }
  return isRunningHere ? (
    <Status kind="info" icon="clock">
      {words.running}
    </Status>
  ) : (
    <Status kind="warn" icon="warning">
      {words.stopped}
    </Status>
  );
}

/** The rows of a file, before anything is stored. They are compared with what is paid meanwhile, be it in another tab. */
function CheckedBatch({ name: proposed, file, onLeave }: Opened & { readonly onLeave: () => void }) {
  const { model } = useApp();
  const check = useComputed(() => model.checkBatch(file)).value;
  const words = t().batch;
  const [name, setName] = useState(proposed);
  const [isStarting, setStarting] = useState(false);
  const { rows, total, problem, actionsLeft } = check;
  const issuable = model.issuable.value;
  const wrong = rows.filter(({ problems }) => problems.length > 0).length;
  const repeated = rows.filter(({ repeats }) => repeats !== undefined).length;
  const start = async (): Promise<void> => {
    if (isStarting) return;
    setStarting(true);
    const orders = rows.flatMap(({ order }) => (order === undefined ? [] : [order]));
    const id = await model.createBatch(name.trim() || proposed, orders);
    setStarting(false);
    if (id === undefined) return announce(t().outcomes["not-stored"]);
    navigate(`/batch/${id}`);
    void model.runBatch(id).then(announceUnlessDone);
  };
  return (
    <>
      <ScreenHead title={words.check} />
      <div class="stack">
        {problem !== undefined && (
          <Notice kind="error" live>
            <p>{words.file[problem.reason]?.(problem.where) ?? problem.reason}</p>
          </Notice>
        )}
        {wrong > 0 && (
          <Notice kind="error" title={words.problems(wrong)} live>
            <p>{words.problemsText}</p>
          </Notice>
        )}
        {repeated > 0 && (
          <Notice kind="warn" title={words.repeats(repeated)}>
            <p>{words.repeatsText}</p>
          </Notice>
        )}
        {issuable !== undefined && total > issuable && (
          <Notice kind="warn">
            <p>{words.overLimit(amountText(model, issuable))}</p>
          </Notice>
        )}
        {rows.length > actionsLeft && (
          <Notice kind="warn">
            <p>{words.tooMany(rows.length, actionsLeft)}</p>
          </Notice>
        )}
        {rows.length > 0 && (
          <>
            {wrong === 0 && (
              <Card>
                <div>
                  <p class="muted">{words.rows(rows.length)}</p>
                  <Amount tokens={total} big exact />
                </div>
                <TextField label={words.name} value={name} onInput={setName} />
              </Card>
            )}
            <BatchRows rows={rows} />
          </>
        )}
        <div class="actions">
          {rows.length > 0 && wrong === 0 && (
            <Button kind="primary" icon="pay" disabled={isStarting} onClick={() => void start()}>
              {words.start(rows.length)}
            </Button>
          )}
          <Button onClick={onLeave}>{words.discard}</Button>
        </div>
      </div>
    </>
  );
}

/** A batch that was started: its progress, and its payments. */
export function BatchScreen({ id }: { readonly id: string }) {
  const { model } = useApp();
  const words = t().batch;
  const batch = model.batches.value.find((candidate) => candidate.id === id);
  const back = { to: "/batch", label: words.title };
  if (batch === undefined) {
    return (
      <>
        <ScreenHead title={words.title} back={back} />
        <Empty icon="batch" title={words.lost} text={t().confirm.lostText}>
          <ButtonLink to="/batch">{words.title}</ButtonLink>
        </Empty>
      </>
    );
  }
  const { name, sent, total, done, failed, stopReason, status, isRunningHere } = batch;
  const byUuid = new Map(model.payments.value.map((payment) => [payment.uuid, payment]));
  const payments = batch.uuids.flatMap((uuid) => byUuid.get(uuid) ?? []);
  return (
    <>
      <ScreenHead title={cleanName(name)} back={back} />
      <div class="stack">
        <Card>
          <div class="row row-between">
            <p class="number">{words.progress(sent, total)}</p>
            <span role="status">
              <BatchStatus batch={batch} />
            </span>
          </div>
          <progress class="progress" max={total} value={sent} aria-label={words.progress(sent, total)} />
          <p class="muted">{words.outcome(done, failed)}</p>
          {status === "stopped" && stopReason !== undefined && <p>{words.stopReasons[stopReason]}</p>}
          <div class="actions">
            {isRunningHere && <Button onClick={() => void model.stopBatch(id)}>{words.stop}</Button>}
            {!isRunningHere && status !== "finished" && (
              <Button kind="primary" icon="pay" onClick={() => void model.runBatch(id).then(announceUnlessDone)}>
                {words.resume}
              </Button>
            )}
            <Button icon="download" onClick={() => saveFile(fileName(name, "csv"), "text/csv", model.batchResult(id))}>
              {words.result}
            </Button>
          </div>
        </Card>
        <ul class="list card">
          {payments.map((payment) => (
            <li key={payment.uuid}>
              <PaymentRow payment={payment} />
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}
