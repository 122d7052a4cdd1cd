import { describe, expect, it } from 'vitest';
import { ensureDebianPackages, findProgram } from '../../../scripts/debian-packages.mjs';
import { runProgram } from '../../support/ssh-client.ts';

/** Calls ensureDebianPackages as somebody who may not install anything, as CI of a contributor does. */
function ensureAsNobody(programs: Readonly<Record<string, string>>) {
  const script = `
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
    const { ensureDebianPackages } = await import('./scripts/debian-packages.mjs');
    try {
      ensureDebianPackages(${JSON.stringify(programs)}, 'the tests need');
    } catch (error) {
      console.log(error.message);
    }`;
  return runProgram(process.execPath, ['--input-type=module', '-e', script]);
}

describe('ensureDebianPackages', () => {
  it('does nothing where everything is there', async () => {
    expect(
      ensureDebianPackages({ sh: 'dash', '/etc/passwd': 'base-passwd' }, 'the tests need'),
    ).toBeUndefined();
    expect(await ensureAsNobody({ sh: 'dash' })).toMatchObject({ status: 0, text: '', stderr: '' });
  });

  it('tells somebody who is not root exactly what to install, each package once', async () => {
    const programs = {
      sh: 'dash',
      'no-such-a': 'package-a',
      'no-such-b': 'package-a',
      '/no/such/file': 'package-c',
    };
    expect((await ensureAsNobody(programs)).text).toBe(
      'the tests need package-a, package-c: apt-get install package-a package-c\n',
    );
  });
});

describe('findProgram', () => {
  it('finds servers too, which PATH may lack', () => {
    expect(findProgram('sshd')).toMatch(/\/sshd$/);
  });

  it('finds nothing that cannot be run', () => {
    expect(findProgram('no-such-program')).toBeUndefined();
    expect(findProgram('../../etc/passwd')).toBeUndefined();
  });
});
