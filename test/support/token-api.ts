/** A gateway whose clock its test moves, and a container that tokens may go to. */
import { runContainer, type TestContainer } from './containers.ts';
import { images } from './engine.ts';
import { type Api, startApi } from './http-api.ts';
import { movedClock } from './second-factor.ts';

export type TokenApi = Api & {
  readonly clock: ReturnType<typeof movedClock>;
  readonly web: TestContainer;
  /** 200, or the status and the code of the failure. */
  readonly codeOf: (token: string, line: string) => Promise<number | string>;
};

export async function startTokenApi(): Promise<TokenApi> {
  const clock = movedClock();
  const [api, web] = await Promise.all([
    startApi({ config: { tokenRatePerSecond: 1000 }, overrides: { clock } }),
    runContainer(images.busybox),
  ]);
  return {
    ...api,
    clock,
    web,
    async codeOf(token, line) {
      const answer = await api.ask({ token, line });
      return answer.status === 200 ? 200 : `${answer.status} ${answer.json<{ code: string }>().code}`;
    },
    stop: async () => void (await Promise.all([api.stop(), web.remove()])),
  };
}
