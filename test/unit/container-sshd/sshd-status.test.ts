import { describe, expect, it } from 'vitest';
import { parseStatus } from '../../../src/container-sshd/sshd-status.ts';

const absent = { installed: false, running: false, port: 22 };

describe('what a container says of its sshd', () => {
  it.each([
    ['', absent],
    ['nonsense', absent],
    ['installed\nrunning yes\nport 2022\nport 22\n', { installed: true, running: true, port: 2022 }],
    ['installed\nrunning no\n', { installed: true, running: false, port: 22 }],
    ['installed\nrunning yes\nport 0\n', { installed: true, running: true, port: 22 }],
    ['installed\nrunning yes\nport 65536\n', { installed: true, running: true, port: 22 }],
    ['installed\nrunning yes\nport -1\n', { installed: true, running: true, port: 22 }],
    ['installed\nrunning yes\nport 1e3\n', { installed: true, running: true, port: 22 }],
    [
      'installed\nrunning maybe\nlistenaddress 0.0.0.0:1\nPort 22022',
      { installed: true, running: false, port: 22022 },
    ],
  ])('%j', (text, expected) => {
    expect(parseStatus(text)).toEqual(expected);
  });
});
