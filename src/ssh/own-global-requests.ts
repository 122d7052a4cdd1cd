/** Global requests that we send, RFC 4254 §4: answers come in the order of the requests. */
import { message } from './messages.ts';
import { boolean, byte, string } from './wire.ts';

type OnAnswer = (data: Buffer | undefined) => void;

export interface OwnGlobalRequests {
  /** Resolves to the data of the answer, often empty; undefined: refused, or the connection is lost. */
  ask(name: string, data: Buffer): Promise<Buffer | undefined>;
  /** An answer that nobody waits for is dropped. */
  answered(data: Buffer | undefined): void;
  close(): void;
}

export function createOwnGlobalRequests(send: (payload: Buffer) => void): OwnGlobalRequests {
  const waiting: OnAnswer[] = [];
  let closed = false;
  return {
    ask: (name, data) =>
      new Promise((resolve) => {
        if (closed) return resolve(undefined);
        waiting.push(resolve);
        send(Buffer.concat([byte(message.globalRequest), string(name), boolean(true), data]));
      }),
    answered: (data) => waiting.shift()?.(data),
    close() {
      closed = true;
      for (const onAnswer of waiting.splice(0)) onAnswer(undefined);
    },
  };
}
