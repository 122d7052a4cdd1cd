/** Room for recordings: workers write them, and the supervisor knows which are being written, and removes what is too much. */
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { OwnRecordingSpace, RecordingSpace } from '../../recordings/recording-space.ts';
import { asCount, asList, asText, createHoldings, type ServedPort } from './served-port.ts';

const method = {
  begin: 'recordings.begin',
  written: 'recordings.written',
  finished: 'recordings.finished',
  held: 'recordings.held',
  running: 'recordings.running',
  remove: 'recordings.remove',
  prune: 'recordings.prune',
} as const;

const again = { repeatable: true } as const;
/** What is written between is told of together. */
const tellEveryMs = 200;

/** To be called in the turn of `openSteadyPeer`. */
export function recordingSpaceOverIpc(supervisor: SteadyPeer): RecordingSpace {
  const held = new Set<string>();
  let untoldBytes = 0;
  supervisor.onConnect((peer) => peer.notify(method.held, [...held]));
  const tell = () => {
    supervisor.notify(method.written, untoldBytes);
    untoldBytes = 0;
  };
  const finished = (id: string) => {
    held.delete(id);
    supervisor.notify(method.finished, id);
  };
  return {
    async begin(id) {
      held.add(id);
      try {
        const refused = await supervisor.request<string | null>(method.begin, id, again);
        if (refused === null) return undefined;
        held.delete(id);
        return refused;
      } catch (error) {
        // It may have begun nevertheless.
        finished(id);
        throw error;
      }
    },
    written(bytes) {
      if (untoldBytes === 0 && bytes > 0) setTimeout(tell, tellEveryMs).unref();
      untoldBytes += bytes;
    },
    finished,
    listRunning: () => supervisor.request<readonly string[]>(method.running, undefined, again),
    remove: (id) => supervisor.request<boolean>(method.remove, id, again),
    prune: async () => void (await supervisor.request(method.prune, undefined, again)),
  };
}

export function serveRecordingSpace(space: OwnRecordingSpace): ServedPort {
  const holdings = createHoldings(() => new Set<string>());
  return {
    handlersFor(worker) {
      const held = holdings.of(worker);
      const begin = async (id: string): Promise<string | null> => {
        if (held.has(id)) return null;
        held.add(id);
        const refused = await space.begin(id);
        if (refused !== undefined) held.delete(id);
        return refused ?? null;
      };
      return [
        [method.begin, (id) => begin(asText(id))],
        [
          method.held,
          (ids) => {
            for (const id of asList(ids).map(asText)) {
              held.add(id);
              space.adopt(id);
            }
          },
        ],
        [method.written, (bytes) => space.written(asCount(bytes))],
        [
          method.finished,
          (id) => {
            if (held.delete(asText(id))) space.finished(asText(id));
          },
        ],
        [method.running, () => space.listRunning()],
        [method.remove, (id) => space.remove(asText(id))],
        [method.prune, () => space.prune()],
      ];
    },
    gone(worker) {
      for (const id of holdings.take(worker) ?? []) space.finished(id);
    },
  };
}
