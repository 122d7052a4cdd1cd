import { describe, expect, it } from 'vitest';
import { PacketSlabs, packetMemory } from '../../../src/ssh/packet-slabs.ts';

const bulk = 32 * 1024;

function made(slabs: PacketSlabs, bytes: number): Buffer {
  let packet: Buffer = Buffer.alloc(0);
  slabs.during(() => {
    packet = packetMemory(bytes);
  });
  return packet;
}

const overlap = (one: Buffer, other: Buffer) =>
  one.buffer === other.buffer &&
  one.byteOffset < other.byteOffset + other.length &&
  other.byteOffset < one.byteOffset + one.length;

describe('packets of bulk', () => {
  it('lie where those lay that the system has taken', () => {
    const slabs = new PacketSlabs();
    const first = made(slabs, bulk);
    slabs.leave(true);
    expect(overlap(first, made(slabs, bulk))).toBe(true);
  });

  it('of one tick lie beside each other, however many these are', () => {
    const slabs = new PacketSlabs();
    const packets = Array.from({ length: 20 }, () => made(slabs, bulk));
    for (const [at, one] of packets.entries())
      for (const other of packets.slice(at + 1)) expect(overlap(one, other)).toBe(false);
  });

  it('that one large read brings lie where they lay before', () => {
    const slabs = new PacketSlabs();
    const large = () => Array.from({ length: 8 }, () => made(slabs, bulk + 40).buffer);
    const before = new Set(large());
    slabs.leave(true);
    for (const each of large()) expect(before.has(each)).toBe(true);
    expect(before.size).toBe(2);
  });

  it('that a transport still holds are written over by none of any connection', () => {
    const slow = new PacketSlabs();
    const held = made(slow, bulk);
    slow.leave(false);
    const others = Array.from({ length: 8 }, () => new PacketSlabs());
    for (const slabs of [slow, ...others, slow]) {
      expect(overlap(held, made(slabs, bulk))).toBe(false);
      slabs.leave(true);
    }
  });

  it('of two connections that send at the same time lie apart', () => {
    const [one, other] = [new PacketSlabs(), new PacketSlabs()];
    const first = made(one, bulk);
    const second = made(other, bulk);
    expect(overlap(first, second)).toBe(false);
    other.leave(true);
    expect(overlap(first, made(other, bulk))).toBe(false);
  });
});

it('what is sent beside bulk, or is small, has memory of its own, also after sending has failed', () => {
  const slabs = new PacketSlabs();
  const packet = made(slabs, bulk);
  expect(packetMemory(bulk).buffer).not.toBe(packet.buffer);
  expect(made(slabs, 100).buffer).not.toBe(packet.buffer);
  expect(() =>
    slabs.during(() => {
      throw new Error('no cipher');
    }),
  ).toThrow('no cipher');
  expect(packetMemory(bulk).buffer).not.toBe(packet.buffer);
});
