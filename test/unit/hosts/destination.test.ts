import { describe, expect, it } from 'vitest';
import { parseDestination, parsePorts } from '../../../src/hosts/destination.ts';

describe('USER@HOSTNAME[:PORT]', () => {
  it.each([
    ['ubuntu@db.example.com', 'ubuntu', 'db.example.com', 22],
    ['ubuntu@db.example.com:2200', 'ubuntu', 'db.example.com', 2200],
    ['_svc.x-1@DB', '_svc.x-1', 'DB', 22],
    ['root@192.0.2.7:65535', 'root', '192.0.2.7', 65535],
    ['root@2001:db8::7', 'root', '2001:db8::7', 22],
    ['root@[2001:db8::7]', 'root', '2001:db8::7', 22],
    ['root@[2001:db8::7]:1', 'root', '2001:db8::7', 1],
    ['root@1e100.net', 'root', '1e100.net', 22],
    ['root@xn--kln-sna.example', 'root', 'xn--kln-sna.example', 22],
  ])('%s', (text, username, hostname, port) => {
    expect(parseDestination(text)).toEqual({ username, hostname, port });
  });

  it.each([
    'db.example.com',
    '@db.example.com',
    'root@',
    'root@:22',
    'root@host:',
    'root@host:0',
    'root@host:65536',
    'root@host:22:22',
    'root@host:+22',
    'root@host: 22',
    'root@host:0x16',
    'root@host:2e1',
    'root@[::1',
    'root@[db.example.com]:22',
    'root@[::1]x',
    'root@fe80::1%eth0',
    'root@a@b',
    `root@${'a'.repeat(64)}.example`,
    `root@${'a.'.repeat(127)}a`,
    'root@a..b',
    'root@db.example.com.',
    'root@a_b',
    'root@köln.example',
  ])('%s is none', (text) => {
    expect(() => parseDestination(text)).toThrow(
      expect.objectContaining({ code: 'invalid-host', httpStatus: 400 }),
    );
  });

  it.each([
    'root@-oProxyCommand=reboot',
    'root@-v',
    'root@a.-b',
    '-oProxyCommand=reboot@host',
    '-lroot@host',
    '.root@host',
  ])('option-as-hostname, option-as-user: %s', (text) => {
    expect(() => parseDestination(text)).toThrow(/neither a DNS name|cannot be a user name/);
  });

  it.each([
    '$(id)',
    '`id`',
    'a;b',
    'a b',
    'a|b',
    "a'b",
    'a"b',
    'a\\b',
    'a\nb',
    'a&b',
    'a>b',
    '~',
    '*',
    'a/b',
    '%h',
    '\x1b[2J',
  ])('shell-in-hostname, shell-in-user: %j', (text) => {
    expect(() => parseDestination(`root@${text}`)).toThrow(/neither a DNS name/);
    expect(() => parseDestination(`${text}@host`)).toThrow(/cannot be a user name/);
  });

  it.each([
    '127.1',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '0x7f000001',
    '127.0.0.0x1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
  ])('address-in-disguise: %s is no DNS name', (hostname) => {
    expect(() => parseDestination(`root@${hostname}`)).toThrow(/neither a DNS name/);
  });
});

describe('--ports', () => {
  it('each once, in order', () => {
    expect(parsePorts('8080, 5432,8080')).toEqual([5432, 8080]);
  });

  it.each(['', '1,', '0', '1-9', 'ssh', Array.from({ length: 65 }, (_, index) => index + 1).join()])(
    '%j',
    (text) => {
      expect(() => parsePorts(text)).toThrow(expect.objectContaining({ code: 'invalid-host' }));
    },
  );
});
