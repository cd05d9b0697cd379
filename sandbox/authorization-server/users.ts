/** The people who have signed up. Each has a debtor. */
import type { Pool } from "../../src/database/database.ts";
import { hashPassword, isPassword } from "./passwords.ts";

/** A person who has signed up, and the debtor that was created for them. */
export interface User {
  readonly email: string;
  /** The unsigned decimal. */
  readonly debtorId: string;
  readonly reservationId: string;
  readonly isActivated: boolean;
}

/** What it takes to activate the debtor of a user. */
export type Reservation = Pick<User, "debtorId" | "reservationId">;

/** The user with that password; `undefined` when there is none. E-mail addresses are compared without case. */
export async function findUser(pool: Pool, email: string, password: string): Promise<User | undefined> {
  const { password: hash, ...user } = (await findByEmail(pool, email.toLowerCase())) ?? {};
  return (await isPassword(password, hash)) ? (user as User) : undefined;
}

const findByEmail = (pool: Pool, email: string): Promise<(User & { password: string }) | undefined> =>
  pool.maybeOne({
    name: "sandbox_find_user",
    text: `
      select email, password, debtor_id::text as "debtorId", reservation_id as "reservationId",
             is_activated as "isActivated"
      from sandbox.app_user
      where email = $1::text`,
    values: [email],
  });

/** Adds a user whose debtor is not active yet; `undefined` when the address is taken. */
export async function addUser(
  pool: Pool,
  email: string,
  password: string,
  { debtorId, reservationId }: Reservation,
): Promise<User | undefined> {
  return pool.maybeOne<User>({
    name: "sandbox_add_user",
    text: `
      insert into sandbox.app_user (email, password, debtor_id, reservation_id)
      values ($1::text, $2::text, $3::numeric, $4::text)
      on conflict do nothing
      returning email, debtor_id::text as "debtorId", reservation_id as "reservationId", is_activated as "isActivated"`,
    values: [email.toLowerCase(), await hashPassword(password), debtorId, reservationId],
  });
}

/** Whether the address is taken, compared without case. */
export async function isEmailTaken(pool: Pool, email: string): Promise<boolean> {
  const row = await pool.maybeOne({
    name: "sandbox_is_email_taken",
    text: "select from sandbox.app_user where email = $1::text",
    values: [email.toLowerCase()],
  });
  return row !== undefined;
}

/**
 * Gives the user another debtor in the place of one whose reservation ran out before it became active. When another log-in has
 * done so already, or has activated the debtor, that one counts.
 */
export async function replaceReservation(pool: Pool, user: User, next: Reservation): Promise<User> {
  await pool.run({
    name: "sandbox_replace_reservation",
    text: `
      update sandbox.app_user set debtor_id = $2::numeric, reservation_id = $3::text
      where email = $1::text and reservation_id = $4::text and not is_activated`,
    values: [user.email, next.debtorId, next.reservationId, user.reservationId],
  });
  return (await findByEmail(pool, user.email))!;
}

/** Notes that the debtor of the user is active. */
export async function markActivated(pool: Pool, { email, reservationId }: User): Promise<void> {
  await pool.run({
    name: "sandbox_mark_activated",
    text: `
      update sandbox.app_user set is_activated = true
      where email = $1::text and reservation_id = $2::text`,
    values: [email, reservationId],
  });
}
