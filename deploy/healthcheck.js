// Whether the program in this container lives: exit code 0 or 1. Plain JavaScript, and none of the program's code.
// Without a port for monitoring (METRICS_PORT=0) nothing can be asked.
const port = (process.env.METRICS_PORT || "9464").trim();
if (port !== "0") {
  const signal = AbortSignal.timeout(4000);
  const isAlive = await fetch(`http://127.0.0.1:${port}/live`, { signal }).then(
    (response) => response.ok,
    () => false,
  );
  process.exit(isAlive ? 0 : 1);
}
