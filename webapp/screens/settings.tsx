/** Settings of this device, the backup, the storage, and signing out. */
import { useEffect, useState } from "preact/hooks";
import { deletionDelayMillis } from "../config.ts";
import { formatNumber } from "../i18n/format.ts";
import { chooseLanguage, LANGUAGES, type Language, languageChoice, t } from "../i18n/i18n.ts";
import { useApp } from "../ui/app.ts";
import { Card, Facts, Notice, ScreenHead } from "../ui/blocks.tsx";
import { Button, Checkbox, FileButton, Select } from "../ui/controls.tsx";
import { Question } from "../ui/dialog.tsx";
import { readFile, saveFile } from "../ui/files.ts";
import { areLettersOn, switchLetters } from "../ui/keys.tsx";
import { areNotificationsOn, canNotify, notificationPermission, switchNotifications } from "../ui/notifications.ts";
import { chooseTheme, type ThemeChoice, themeChoice } from "../ui/theme.ts";
import { announce } from "../ui/toasts.tsx";
import { SignOutDialog } from "./sign-out.tsx";

export function Settings() {
  const { config } = useApp();
  const words = t().settings;
  return (
    <>
      <ScreenHead title={words.title} />
      <div class="stack">
        <Appearance />
        <Notifications />
        <Deletion />
        <Backup />
        <StorageCard />
        <Account />
        <p class="hint">{words.about(config.version)}</p>
      </div>
    </>
  );
}

function Appearance() {
  const words = t().settings;
  return (
    <Card title={words.appearance}>
      <div class="columns">
        <Select
          label={words.language}
          value={languageChoice.value}
          options={{ system: words.system, ...LANGUAGES }}
          onChange={(choice: "system" | Language) => void chooseLanguage(choice)}
        />
        <Select
          label={words.theme}
          value={themeChoice.value}
          options={{ system: words.system, light: words.light, dark: words.dark }}
          onChange={(choice: ThemeChoice) => chooseTheme(choice)}
        />
      </div>
      <Checkbox label={words.keys} hint={words.keysHint} checked={areLettersOn.value} onChange={switchLetters} />
    </Card>
  );
}

function Notifications() {
  const words = t().settings;
  if (!canNotify()) return null;
  return (
    <Card title={words.notifications}>
      <Checkbox
        label={words.notificationsOn}
        hint={notificationPermission.value === "denied" ? words.notificationsDenied : words.notificationsHint}
        checked={areNotificationsOn.value}
        onChange={(on) => void switchNotifications(on)}
      />
    </Card>
  );
}

function Deletion() {
  const { model, config } = useApp();
  const words = t().settings;
  const deletable = model.deletable.value;
  const days = Math.round(deletionDelayMillis(config) / 86_400_000);
  const remove = async (): Promise<void> => {
    announce(words.deleted(await model.deleteAtServer(deletable.map(({ uuid }) => uuid))));
  };
  return (
    <Card title={words.deletion}>
      <Checkbox
        label={words.deletionOn}
        hint={words.deletionHint(days)}
        checked={model.isDeletionOn.value}
        onChange={(on) => void model.setDeletion(on)}
      />
      <p class="muted">{words.kept(model.undeletedCount.value, config.maxTransfersPerMonth)}</p>
      {deletable.length > 0 && (
        <div class="row">
          <p class="grow">{words.deletable(deletable.length)}</p>
          <Button icon="trash" onClick={() => void remove()}>
            {words.deleteNow}
          </Button>
        </div>
      )}
    </Card>
  );
}

function Backup() {
  const { model } = useApp();
  const words = t().settings;
  const [problem, setProblem] = useState<string | undefined>();
  const save = async (): Promise<void> => {
    // The storage may be gone, which is said above the screen as well.
    const backup = await model.backup().catch(() => undefined);
    if (backup === undefined) announce(words.backupNotSaved);
    else saveFile(words.backupName, "application/json", backup);
  };
  const read = async (file: File): Promise<void> => {
    const bytes = await readFile(file, Number.POSITIVE_INFINITY);
    if (bytes === undefined) return setProblem(t().common.unreadableFile);
    const result = await model.restore(new TextDecoder().decode(bytes));
    setProblem("problem" in result ? words.backupProblems[result.problem] : undefined);
    if (!("problem" in result)) announce(words.restored(result.added, result.changed));
  };
  return (
    <Card title={words.backup}>
      <p class="muted">{words.backupText}</p>
      {problem !== undefined && (
        <Notice kind="error" title={words.notRestored} live>
          <p>{problem}</p>
        </Notice>
      )}
      <div class="row">
        <Button icon="download" onClick={() => void save()}>
          {words.backupSave}
        </Button>
        <FileButton icon="upload" accept=".json,application/json" onFile={(file) => void read(file)}>
          {words.backupRead}
        </FileButton>
      </div>
    </Card>
  );
}

function StorageCard() {
  const { model } = useApp();
  const words = t().settings;
  const [usedBytes, setUsedBytes] = useState<number | undefined>();
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    navigator.storage?.estimate?.().then(
      ({ usage }) => setUsedBytes(usage),
      () => undefined,
    );
  }, []);
  return (
    <Card title={words.storage}>
      <p>{model.isStoragePersistent.value === true ? words.persistent : words.notPersistent}</p>
      {usedBytes !== undefined && <p class="muted">{words.used(formatNumber(Math.round(usedBytes / 100_000) / 10))}</p>}
      {model.hasOldDatabase.value && (
        <>
          <p>{words.oldDatabase}</p>
          <div class="row">
            <Button icon="trash" onClick={() => setAsking(true)}>
              {words.removeOld}
            </Button>
          </div>
        </>
      )}
      {isAsking && (
        <Question
          title={words.removeOldAsk}
          yes={t().common.remove}
          danger
          onYes={() => {
            setAsking(false);
            void model.removeOldDatabase();
          }}
          onNo={() => setAsking(false)}
        >
          <p>{words.removeOldText}</p>
        </Question>
      )}
    </Card>
  );
}

function Account() {
  const { model, config } = useApp();
  const words = t().settings;
  const [isSigningOut, setSigningOut] = useState(false);
  return (
    <Card title={words.account}>
      <Facts
        facts={[
          [words.server, new URL(config.serverApiEntrypoint, location.href).host],
          [words.debtor, <code key="debtor">{model.debtor.value?.identityUri}</code>],
        ]}
      />
      <div class="row">
        <Button icon="door" onClick={() => setSigningOut(true)}>
          {words.signOut}
        </Button>
      </div>
      {isSigningOut && <SignOutDialog onClose={() => setSigningOut(false)} />}
    </Card>
  );
}
