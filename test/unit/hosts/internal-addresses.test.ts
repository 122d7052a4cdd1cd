import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isInternalAddress, isInternalHostname } from '../../../src/hosts/internal-addresses.ts';

describe('addresses of the gateway itself and its networks', () => {
  it.each([
    '0.0.0.0',
    '127.0.0.1',
    '127.255.255.254',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::10.0.0.1',
    '2002:7f00:1::',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'fc00::1',
    'fd00:ec2::254',
    'FD00:EC2::254',
    'ff02::1',
  ])('%s', (address) => expect(isInternalAddress(address)).toBe(true));

  it.each([
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.1.1',
    '100.63.0.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2001:db8::1',
    '2a00:1450::1',
  ])('%s is none of them', (address) => expect(isInternalAddress(address)).toBe(false));

  it('the addresses of this machine, public or not', () => {
    const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    expect(own.filter(({ address }) => !isInternalAddress(address))).toEqual([]);
  });

  it.each(['localhost', 'LOCALHOST', 'db.localhost', 'ip6-localhost', '127.0.0.1', '::1'])(
    '%s as a hostname',
    (name) => expect(isInternalHostname(name)).toBe(true),
  );

  it.each(['notlocalhost', 'localhost.example.com', 'db.example.com', '8.8.8.8'])('%s is none', (name) =>
    expect(isInternalHostname(name)).toBe(false),
  );
});
