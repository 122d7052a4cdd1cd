import { describe, expect, it } from 'vitest';
import { findContainerName } from '../../../src/http/host-name.ts';

const domain = 'gw.example';
const nameOf = (...hosts: string[]) => {
  const found = findContainerName(hosts, domain);
  return typeof found === 'object' ? found.name : found;
};

describe('the container that a Host header names', () => {
  it.each([
    ['web.gw.example', 'web'],
    ['WEB.GW.Example', 'web'],
    ['web.gw.example:8443', 'web'],
    ['web.gw.example.', 'web'],
    ['web.gw.example.:8443', 'web'],
    ['web.gw.example:', 'web'],
    ['my_app.v1-2.gw.example', 'my_app.v1-2'],
    ['ambiguous.gw.example', 'ambiguous'],
  ])('%s is %s', (host, name) => {
    expect(nameOf(host)).toBe(name);
  });

  it.each([
    'gw.example',
    'gw.example:80',
    'example',
    'webgw.example',
    'web.gw.example.evil',
    '.gw.example',
    '-web.gw.example',
    'web.gw.example:80:80',
    'user@web.gw.example',
    'web/../x.gw.example',
    'wéb.gw.example',
    'web.gw.example..',
    `${'a'.repeat(300)}.gw.example`,
    '',
  ])('%s is none', (host) => {
    expect(nameOf(host)).toBeUndefined();
  });

  it('two hosts are nobody’s to choose from, be they the same', () => {
    expect(nameOf('web.gw.example', 'gw.example')).toBe('ambiguous');
    expect(nameOf('gw.example', 'gw.example')).toBe('ambiguous');
  });

  it('no host is none', () => {
    expect(nameOf()).toBeUndefined();
  });

  it('a domain in capitals is the same domain', () => {
    expect(findContainerName(['web.gw.example'], 'GW.example')).toEqual({ name: 'web' });
  });
});
