/** What keeps a process from its work, said by its parts as it happens; readiness shows it. */
export interface Health {
  /** `undefined` when the part can work again. */
  report(part: string, reason: string | undefined): void;
  /** In words, one for each part that cannot work. */
  reasons(): string[];
}

/** All parts are well until they say otherwise. */
export function createHealth(): Health {
  const reasons = new Map<string, string>();
  return {
    report: (part, reason) => {
      if (reason === undefined) reasons.delete(part);
      else reasons.set(part, reason);
    },
    reasons: () => [...reasons.values()],
  };
}
