/** What happens when, in simulated seconds: a heap of things to do. */
export interface Agenda {
  now(): number;
  in(seconds: number, what: () => void): void;
  /** Does all that is due until then. */
  runUntil(atSeconds: number): void;
}

interface Due {
  readonly at: number;
  readonly what: () => void;
}

export function createAgenda(): Agenda {
  const heap: Due[] = [];
  let now = 0;
  const isBefore = (a: number, b: number) => (heap[a] as Due).at < (heap[b] as Due).at;
  const swap = (a: number, b: number) => {
    [heap[a], heap[b]] = [heap[b] as Due, heap[a] as Due];
  };
  function rise(from: number): void {
    let place = from;
    for (let above = (place - 1) >> 1; place > 0 && isBefore(place, above); above = (place - 1) >> 1) {
      swap(place, above);
      place = above;
    }
  }
  function sink(): void {
    for (let place = 0; ; ) {
      let least = place;
      for (const below of [2 * place + 1, 2 * place + 2]) {
        if (below < heap.length && isBefore(below, least)) least = below;
      }
      if (least === place) return;
      swap(place, least);
      place = least;
    }
  }
  function take(): Due {
    const first = heap[0] as Due;
    const last = heap.pop() as Due;
    if (heap.length > 0) {
      heap[0] = last;
      sink();
    }
    return first;
  }
  return {
    now: () => now,
    in(seconds, what) {
      heap.push({ at: now + seconds, what });
      rise(heap.length - 1);
    },
    runUntil(at) {
      while (heap.length > 0 && (heap[0] as Due).at <= at) {
        const due = take();
        now = due.at;
        due.what();
      }
      now = at;
    },
  };
}
