import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/config.ts';
import { noMeter } from '../../../src/metrics/meter.ts';
import { createAdmission, mustDrop } from '../../../src/ssh/admission.ts';

interface Opening {
  readonly random?: number;
  readonly given?: Record<string, unknown>;
  readonly shared?: string;
  readonly enforced?: boolean;
}

function open({ random = 0.29, given = {}, shared, enforced = false }: Opening = {}) {
  const refused: { source: string; reason: string }[] = [];
  const admission = createAdmission({
    config: configSchema.parse(given),
    penalties: { refuse: () => (enforced ? { reason: 'authfail', secondsLeft: 9 } : undefined) },
    shared: { isShared: (address) => address === shared },
    audit: { connectionRefused: (facts) => void refused.push(facts) },
    meter: noMeter,
    random: () => random,
  });
  const enter = (address: string) => {
    const socket = { destroy: () => socket } as unknown as Socket;
    return admission.admit(socket, address);
  };
  const count = (times: number, address: string | ((index: number) => string)) =>
    Array.from({ length: times }, (_, index) =>
      enter(typeof address === 'string' ? address : address(index)),
    ).filter((entered) => entered !== undefined);
  return { admission, refused, enter, count };
}

describe('PerSourceMaxStartups', () => {
  it('ten of one source, then as many as have left or logged in', () => {
    const { refused, count, enter } = open();
    const entered = count(12, '192.0.2.7');
    expect(entered).toHaveLength(10);
    expect(refused).toEqual(Array(2).fill({ source: '192.0.2.7', reason: 'PerSourceMaxStartups' }));
    entered[0]?.left();
    entered[1]?.authenticated();
    entered[1]?.left();
    expect([enter('192.0.2.7'), enter('192.0.2.7'), enter('192.0.2.7')].map((each) => !!each)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('counts by PerSourceNetBlockSize, and mapped addresses with those they stand for', () => {
    const { count } = open({ given: { perSourceNetBlockSize: '24:64' } });
    expect(count(300, (index) => `2001:db8::${index.toString(16)}`)).toHaveLength(10);
    expect(count(12, (index) => `${index % 2 ? '::ffff:' : ''}192.0.2.${index}`)).toHaveLength(10);
  });

  it('is not for an address that many share; MaxStartups is', () => {
    const { count } = open({ random: 0.99, shared: '172.17.0.1' });
    expect(count(200, '172.17.0.1').length).toBeGreaterThan(10);
    expect(count(200, '172.17.0.1')).toHaveLength(0);
  });
});

describe('MaxStartups', () => {
  const limits = { start: 10, ratePercent: 30, full: 100 };

  it('grows linearly from the rate at start to all at full', () => {
    expect(mustDrop(9, limits, () => 0)).toBe(false);
    expect([0.29, 0.31].map((random) => mustDrop(10, limits, () => random))).toEqual([true, false]);
    expect([0.64, 0.66].map((random) => mustDrop(55, limits, () => random))).toEqual([true, false]);
    expect(mustDrop(100, limits, () => 0.999)).toBe(true);
  });

  it('one source at its limit has no other refused, not even one that opens ten at once', () => {
    const { count } = open({ random: 0 });
    expect(count(50, '192.0.2.7')).toHaveLength(10);
    expect(count(10, '192.0.2.8')).toHaveLength(10);
  });

  it('many sources are refused as sshd refuses them', () => {
    const { count } = open({ random: 0.29 });
    expect(count(50, (index) => `192.0.2.${index}`)).toHaveLength(10);
  });

  it('never more than full in all', () => {
    const { count, refused } = open({ random: 0.99999 });
    expect(count(150, (index) => `192.0.2.${index % 15}`)).toHaveLength(100);
    expect(refused.at(-1)).toEqual({ source: '192.0.2.14', reason: 'MaxStartups' });
  });
});

describe('a source under penalty', () => {
  it('penalised-flood: is told so, but a thousand connections of it are not kept for that', () => {
    const sockets = Array.from({ length: 1_000 }, () => new PassThrough() as unknown as Socket);
    const { admission } = open({ enforced: true });
    for (const socket of sockets) expect(admission.admit(socket, '192.0.2.7')).toBeUndefined();
    const [one] = sockets;
    expect(String(one?.read())).toBe('Not allowed at this time\r\n');
    expect(sockets.filter((socket) => !socket.destroyed)).toHaveLength(100);
    for (const socket of sockets) socket.destroy();
  });
});
