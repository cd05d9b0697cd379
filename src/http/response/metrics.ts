/** The metrics of the web server. */
export interface HttpMetrics {
  /** Counts an answered request. `route` is the pattern of the path, or `unknown`. */
  observe(route: string, method: string, status: number, seconds: number): void;
}
