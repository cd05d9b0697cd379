/** Loaded into each process that runs a test file: ends one that has neither finished nor failed after a long time. */
const secondsMax = Number(process.env.TEST_FILE_SECONDS_MAX);

if (process.env.NODE_TEST_CONTEXT !== undefined && secondsMax > 0) {
  setTimeout(() => {
    console.error(
      `${process.argv[1]} has not ended after ${secondsMax} s: ${process.getActiveResourcesInfo().join(", ")}`,
    );
    process.exit(1);
  }, secondsMax * 1000).unref();
}
