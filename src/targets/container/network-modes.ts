/** Podman's lists leave out which network a container is on, and who may forward into it depends on that. */
import type { ContainerSummary, EngineApi } from './engine-api.ts';

const atOnce = 8;
/** Of those beyond it nothing is known. */
const maxAsked = 1_000;

/** Fills it in. Where nobody knows, it counts as the host's: then only admins forward. */
export function createNetworkModes(engine: Pick<EngineApi, 'inspect'>) {
  let known = new Map<string, string>();

  async function ask(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const waiting = [...ids];
    const work = async () => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        const mode = await engine.inspect(id).then(
          ({ HostConfig }) => HostConfig.NetworkMode,
          () => undefined,
        );
        if (typeof mode === 'string') found.set(id, mode);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return found;
  }

  return async (summaries: readonly ContainerSummary[]): Promise<readonly ContainerSummary[]> => {
    const unsaid = summaries.filter(({ HostConfig }) => typeof HostConfig?.NetworkMode !== 'string');
    if (unsaid.length === 0) return summaries;
    const ids = unsaid.map(({ Id }) => Id);
    const found = await ask(ids.filter((id) => !known.has(id)).slice(0, maxAsked));
    known = new Map(
      ids.flatMap((id) => {
        const mode = found.get(id) ?? known.get(id);
        return mode === undefined ? [] : [[id, mode]];
      }),
    );
    const modeOf = ({ Id, HostConfig }: ContainerSummary) =>
      HostConfig?.NetworkMode ?? known.get(Id) ?? 'host';
    return summaries.map((summary) => ({ ...summary, HostConfig: { NetworkMode: modeOf(summary) } }));
  };
}
