import { describe, expect, it } from 'vitest';
import { checkEngineName } from '../../../src/engines/engine-names.ts';
import { parseEngineUrl } from '../../../src/engines/engine-url.ts';

describe('addresses of engines', () => {
  it.each([
    ['unix:///var/run/docker.sock', { kind: 'unix', path: '/var/run/docker.sock' }],
    ['tcp://docker.example.com:2376', { kind: 'tcp', hostname: 'docker.example.com', port: 2376 }],
    ['tcp://10.1.2.3:2376/', { kind: 'tcp', hostname: '10.1.2.3', port: 2376 }],
    ['tcp://[2001:db8::7]:2376', { kind: 'tcp', hostname: '2001:db8::7', port: 2376 }],
  ])('%s', (text, address) => {
    expect(parseEngineUrl(text)).toEqual(address);
  });

  it.each([
    ...[
      '',
      'docker.sock',
      'unix://docker.sock',
      'unix:///a b',
      `unix:///${'a'.repeat(107)}`,
      'npipe:////./pipe/docker',
    ],
    ...[
      'tcp://host',
      'tcp://host:0',
      'tcp://host:70000',
      'tcp://user@host:2376',
      'tcp://user:secret@host:2376',
    ],
    ...[
      'tcp://host:2376/path',
      'tcp://-oProxyCommand=x:22',
      'tcp://127.1:2376',
      'tcp://0x7f.1:2376',
      'tcp://[fe80::1%eth0]:2376',
    ],
    ...['http://host:2376', 'https://host:2376', 'ssh://root@host', 'tcp://host:23\n76'],
  ])('%j is none', (text) => {
    expect(() => parseEngineUrl(text)).toThrow('is no address of an engine');
  });

  it('a password in an address is not repeated beyond what was typed, and never kept', () => {
    expect(() => parseEngineUrl('tcp://user:secret@host:2376')).toThrow(/write tcp:\/\/HOST:PORT/);
  });
});

describe('names of engines', () => {
  it.each(['prod', 'a', 'lab-2', 'a'.repeat(32)])('%s', (name) => {
    expect(checkEngineName(name)).toBe(name);
  });

  it.each(['', 'Prod', '2lab', '-lab', 'a b', 'a/b', 'a.b', 'a'.repeat(33), 'prod\n', 'default'])(
    '%j is none',
    (name) => {
      expect(() => checkEngineName(name)).toThrow();
    },
  );
});
