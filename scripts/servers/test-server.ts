/** A server for a test run. */
export interface TestServer {
  /** The variables by which the tests find it. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Ends the run: stops a server that was started for it and removes its data. From a server that was there before,
   * removes what the run has made on it and not removed, all of which has a name that begins with the prefix.
   */
  release(prefix: string): Promise<void>;
}
