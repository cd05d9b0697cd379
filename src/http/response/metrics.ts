/** What the web server counts. */
export interface HttpMetrics {
  /** One answered request. `route` is the pattern of the path, `unknown` when there is no such route. */
  observe(route: string, method: string, status: number, seconds: number): void;
}
