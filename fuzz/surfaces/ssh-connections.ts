/** Messages in a real encrypted connection to a gateway, before the login and after it. */

import { openWireClient, readWireKey, type WireClient } from '../../test/support/wire-client.ts';
import { openFuzzedGateway } from '../fuzzed-gateway.ts';
import { mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import {
  channelMark,
  connectionMessages,
  exchangeMessages,
  loginMessages,
  openSession,
  transportMessages,
} from '../ssh-messages.ts';
import { joinMessages, shuffled, splitMessages } from '../streams.ts';
import type { OpenSurface, Surface } from '../surface.ts';

const maxMessageBytes = 34_000;
const channelsAtFirst = 4;
/** Inputs that are told together when something goes wrong: what came before may matter. */
const keptInputs = 64;
const inputsPerConnection = 500;

function sequence(random: Random, messages: readonly Buffer[]): Buffer {
  const chosen = Array.from({ length: 1 + random.below(6) }, () => {
    const among = random.oneIn(12) ? transportMessages : random.oneIn(150) ? exchangeMessages : messages;
    const sound = random.pick(among);
    return random.oneIn(2) ? sound : mutate(sound, random, messages);
  });
  return joinMessages(shuffled(chosen, random));
}

/** Channel numbers that the input could not know. */
function withChannels(message: Buffer, channels: readonly number[]): Buffer {
  const at = message.indexOf(channelMark);
  if (at < 0 || at + 4 > message.length || channels.length === 0) return message;
  const filled = Buffer.from(message);
  filled.writeUInt32BE(
    channels[(channels.length * 2 - 1 - (message[at + 3] as number)) % channels.length] ?? 0,
    at,
  );
  return filled;
}

async function openSurface(messages: readonly Buffer[], isLoggedIn: boolean): Promise<OpenSurface> {
  const gateway = await openFuzzedGateway();
  const key = isLoggedIn ? readWireKey(gateway.memberKey) : undefined;
  let client: WireClient | undefined;
  let sent = 0;
  let recent: Buffer[] = [];
  const connected = async () => {
    if (client?.isOpen() && sent < inputsPerConnection) return client;
    client?.close();
    sent = 0;
    recent = [];
    client = await openWireClient(gateway.port, { key });
    if (isLoggedIn) for (let n = 0; n < channelsAtFirst; n++) client.send(openSession);
    await client.taken();
    return client;
  };
  return {
    generate: (random) => sequence(random, messages),
    async run(input) {
      const to = await connected();
      sent++;
      recent = [...recent.slice(1 - keptInputs), input];
      to.sendTogether(
        splitMessages(input)
          .filter(({ length }) => length > 0)
          .map((message) => withChannels(message.subarray(0, maxMessageBytes), to.channels)),
      );
      // One that waits for new keys answers nothing; whether the gateway answers others is asked each second.
      if (!(await to.taken())) to.close();
      gateway.check();
    },
    together: () => Buffer.concat(recent),
    memory: () => {
      client?.close();
      client = undefined;
      return gateway.memory();
    },
    async close() {
      client?.close();
      await gateway.close();
    },
  };
}

export const sshBeforeLogin: Surface = {
  pace: 'through a gateway',
  open: () => openSurface([...loginMessages, ...connectionMessages.slice(0, 6)], false),
};

export const sshAfterLogin: Surface = {
  pace: 'through a gateway',
  open: () => openSurface(connectionMessages, true),
};
