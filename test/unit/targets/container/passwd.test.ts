import { describe, expect, it } from 'vitest';
import { findSessionUser, parsePasswd } from '../../../../src/targets/container/passwd.ts';

const entries = parsePasswd(`root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/:
# a comment:x:3:3::/:/bin/sh
broken line
evil:x:abc:0::/:/bin/sh
relative:x:5:5::home:/bin/sh
alice:x:1000:1000:Alice,,,:/home/alice:/bin/zsh
1000:x:2000:2000::/numeric:/bin/sh`);

describe('passwd', () => {
  it('gives home and shell; an empty shell is /bin/sh', () => {
    expect(findSessionUser(entries, 'alice', '')).toEqual({
      engineUser: 'alice',
      uid: 1000,
      group: 1000,
      name: 'alice',
      home: '/home/alice',
      shell: '/bin/zsh',
    });
    expect(findSessionUser(entries, 'daemon', '')?.shell).toBe('/bin/sh');
  });

  it('passes over what is no entry', () => {
    for (const name of ['evil', 'broken line', '# a comment', '#'])
      expect(findSessionUser(entries, name, '')).toBe(undefined);
  });

  it('a home that is no absolute path is /', () => {
    expect(findSessionUser(entries, 'relative', '')?.home).toBe('/');
  });

  it('without a requested user it is the configured one, handed on as configured', () => {
    expect(findSessionUser(entries, undefined, 'alice:staff')).toMatchObject({
      engineUser: 'alice:staff',
      name: 'alice',
    });
    expect(findSessionUser(entries, undefined, '1:50')).toMatchObject({ engineUser: '1:50', name: 'daemon' });
    expect(findSessionUser(entries, undefined, '')).toMatchObject({
      engineUser: undefined,
      name: 'root',
      home: '/root',
    });
    expect(findSessionUser(entries, undefined, 'absent')).toBe(undefined);
  });

  it('a name of digits is a name first, as the engine reads it', () => {
    expect(findSessionUser(entries, '1000', '')).toMatchObject({ home: '/numeric' });
  });

  it('a number without an entry is a user', () => {
    expect(findSessionUser(entries, '4321', '')).toEqual({
      engineUser: '4321',
      uid: 4321,
      group: 0,
      name: '4321',
      home: '/',
      shell: '/bin/sh',
    });
  });

  it('an image without passwd has its root', () => {
    expect(findSessionUser([], 'root', '')).toMatchObject({ engineUser: '0', name: 'root', home: '/' });
    expect(findSessionUser([], undefined, '')).toMatchObject({ engineUser: undefined, name: 'root' });
  });

  it('privilege by user name: what the engine would read as another user or group never reaches it', () => {
    for (const name of [
      'alice:0',
      ':0',
      '+0',
      '-0',
      '00:00',
      ' root',
      'root ',
      '2147483648',
      '1e3',
      '0x0',
      '',
    ]) {
      expect(findSessionUser(entries, name, '')).toBe(undefined);
    }
  });
});
