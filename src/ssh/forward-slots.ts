/** How many forwards one connection has, of every kind together; what is being opened counts too. */
export interface ForwardSlots {
  readonly limit: number;
  readonly taken: number;
  /** Takes one, and returns what gives it back, once; undefined when all are taken. */
  take(): (() => void) | undefined;
}

export function createForwardSlots(limit: number): ForwardSlots {
  let taken = 0;
  return {
    limit,
    get taken() {
      return taken;
    },
    take() {
      if (taken >= limit) return undefined;
      taken++;
      let given = false;
      return () => {
        if (!given) taken--;
        given = true;
      };
    },
  };
}
