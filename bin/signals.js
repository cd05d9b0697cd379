// Listens for the signals that ask a program to end, from its first line on: as process 1 of a container it would never
// get one that comes before it listens. Plain JavaScript, like everything in this folder.

/** npm passes on the SIGINT of a Ctrl-C that the terminal has already sent to the program. */
const SAME_KEY_MILLIS = 300;

let lastInterruptMillis = -Infinity;
const early = [];
let handle = (name) => early.push(name);

process.on("SIGTERM", () => handle("SIGTERM"));
process.on("SIGINT", () => {
  const millis = performance.now();
  if (millis - lastInterruptMillis > SAME_KEY_MILLIS) handle("SIGINT");
  lastInterruptMillis = millis;
});

/** From now on the handler is called with the name of each signal; at once with those that have come so far. */
export function handleSignals(handler) {
  handle = handler;
  for (const name of early.splice(0)) handle(name);
}

/** Whether a signal has come that nothing has handled yet. */
export async function hasSignalCome() {
  await new Promise(setImmediate); // One that came during the work until now is only then known.
  return early.length > 0;
}
