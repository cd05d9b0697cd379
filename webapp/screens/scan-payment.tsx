/** *New payment* by the camera. */
import { useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { Scanner } from "../scanner/scanner.tsx";
import { useApp } from "../ui/app.ts";
import { Card, Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button, FileButton } from "../ui/controls.tsx";
import { navigate } from "../ui/router.ts";
import { type Received, receiveFile, receiveText } from "./receive-request.ts";

export function ScanPayment() {
  const { model } = useApp();
  const [problem, setProblem] = useState<string | undefined>();
  const show = (received: Received): void => {
    if ("uuid" in received) navigate(`/payments/${received.uuid}`, { replace: true });
    else setProblem(received.problem);
  };
  return (
    <>
      <ScreenHead title={t().scanner.title} back={{ to: "/pay", label: t().pay.title }} />
      <Card>
        {problem === undefined ? (
          <Scanner onText={(text) => void receiveText(model, text).then(show)} />
        ) : (
          <>
            <Notice kind="error" title={t().pay.notRead} live>
              <p>{problem}</p>
            </Notice>
            <div class="row">
              <Button kind="primary" icon="camera" onClick={() => setProblem(undefined)}>
                {t().pay.scan}
              </Button>
            </div>
          </>
        )}
        <div class="row">
          <FileButton
            icon="file"
            accept="image/*,.pr0,text/plain"
            onFile={(file) => void receiveFile(model, file).then(show)}
          >
            {t().pay.file}
          </FileButton>
        </div>
      </Card>
    </>
  );
}
