/** The routes of issuing transfers. Spec: http-api, "transfers". */
import { findDebtor } from "../../database/debtors.ts";
import { findTransfer, listTransferUuids } from "../../database/running-transfers.ts";
import { isActive } from "../../domain/debtor.ts";
import { cancelTransfer, deleteTransfer } from "../../operations/transfers.ts";
import { parseAccountUri } from "../../values/swpt-uri.ts";
import { now } from "../../values/timestamp.ts";
import { parseUuid } from "../../values/uuid.ts";
import { jsonAnswer, noContent, redirectTo } from "../response/answer.ts";
import { notFound, unprocessable } from "../response/errors.ts";
import { TransferCancelationRequest, TransferCreationRequest } from "../schemas/transfers.ts";
import { viewTransfer, viewTransfersList } from "../views/transfer-view.ts";
import { transferUri } from "../views/uris.ts";
import { withJson, withoutBody } from "./endpoint.ts";

export const listTransfers = withoutBody(async ({ pool }, { target }) => {
  const [debtor, uuids] = await Promise.all([
    findDebtor(pool, target.debtorId),
    listTransferUuids(pool, target.debtorId),
  ]);
  if (debtor === undefined || !isActive(debtor)) throw notFound();
  return jsonAnswer(200, viewTransfersList(target.debtorId, uuids));
});

export const create = withJson(TransferCreationRequest, async (context, { target, baseUrl }, body) => {
  const { debtorId } = target;
  const recipient = parseAccountUri(body.recipient.uri);
  // Base64 can encode a NUL character, which PostgreSQL cannot store and no account ID has.
  if (recipient?.debtorId !== debtorId || recipient.accountId.includes("\0")) {
    throw unprocessable({ recipient: { uri: ["Must be an account of this debtor."] } });
  }
  const { transfer, isNew } = await context.createTransfer({
    debtorId,
    transferUuid: parseUuid(body.transferUuid)!,
    amount: body.amount,
    recipientUri: body.recipient.uri,
    recipient: recipient.accountId,
    transferNoteFormat: body.noteFormat ?? "",
    transferNote: body.note ?? "",
  });
  const location = `${baseUrl()}${transferUri(debtorId, transfer.transferUuid)}`;
  if (!isNew) return redirectTo(303, location);
  return jsonAnswer(201, viewTransfer(transfer, context.limits.transfersFinalizationSeconds, now()), { location });
});

export const getTransfer = withoutBody(async ({ pool, limits }, { target }) => {
  const transfer = await findTransfer(pool, target.debtorId, target.transferUuid);
  if (transfer === undefined) throw notFound();
  return jsonAnswer(200, viewTransfer(transfer, limits.transfersFinalizationSeconds, now()));
});

export const cancel = withJson(TransferCancelationRequest, async ({ pool, limits }, { target }) => {
  const transfer = await cancelTransfer(pool, target.debtorId, target.transferUuid);
  return jsonAnswer(200, viewTransfer(transfer, limits.transfersFinalizationSeconds, now()));
});

export const remove = withoutBody(async ({ pool }, { target }) => {
  await deleteTransfer(pool, target.debtorId, target.transferUuid);
  return noContent;
});
