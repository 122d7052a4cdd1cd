import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/errors.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import { quickKey } from '../../support/keys.ts';

const key = quickKey();

const read = (options: string) => {
  const [first] = parseKeysToAdd(`${options} ${key} c`);
  return {
    ...first?.restrictions,
    ...(first?.expiresAt === undefined ? {} : { expiresAt: first.expiresAt }),
  };
};

const refusal = (options: string): string => {
  try {
    return `accepted: ${JSON.stringify(read(options))}`;
  } catch (error) {
    if (isGatewayError(error, 'invalid-key')) return error.message;
    throw error;
  }
};

describe('options in front of a key', () => {
  it('are kept when they narrow the key', () => {
    expect(read('from="10.0.0.0/8,!10.0.0.1,2001:db8::*",no-pty')).toEqual({
      from: '10.0.0.0/8,!10.0.0.1,2001:db8::*',
      noPty: true,
    });
    expect(read('command="echo \\"a, b\\" \\n",no-agent-forwarding')).toEqual({
      command: 'echo "a, b" \\n',
      noAgentForwarding: true,
    });
    expect(read('RESTRICT,no-X11-forwarding,no-user-rc')).toEqual({
      noPty: true,
      noPortForwarding: true,
      noAgentForwarding: true,
    });
  });

  it('say where a forwarding may lead, as often as one likes', () => {
    expect(
      read('permitopen="web:22",permitopen="*:*",permitopen="[2001:db8::1]:443",permitlisten="8080"'),
    ).toEqual({ permitOpen: ['web:22', '*:*', '[2001:db8::1]:443'], permitListen: ['8080'] });
    expect(read('permitlisten="localhost:*"').permitListen).toEqual(['localhost:*']);
    for (const bad of [
      'web',
      '22',
      'web:',
      ':22',
      'web:0',
      'web:65536',
      '2001:db8::1:22',
      'we b:22',
      'web:-1',
      '',
    ]) {
      expect(refusal(`permitopen="${bad}"`)).toContain('is not of the form HOST:PORT');
    }
    for (const bad of ['web', '65536', 'a:b:c', '']) {
      expect(refusal(`permitlisten="${bad}"`)).toContain('is not of the form [HOST:]PORT');
    }
    expect(refusal(Array(65).fill('permitopen="web:22"').join(','))).toContain('64 such options');
  });

  it('set variables', () => {
    expect(read('environment="LANG=de_DE.UTF-8",environment="LC_ALL=a \\"b\\", c=d"').environment).toEqual([
      'LANG=de_DE.UTF-8',
      'LC_ALL=a "b", c=d',
    ]);
    for (const bad of ['LANG', '=x', '1A=b', 'A B=c', 'A=\x1b[2J', `A=${'b'.repeat(5000)}`]) {
      expect(refusal(`environment="${bad}"`)).toContain('is not of the form NAME=value');
    }
  });

  it('say what a security key must do', () => {
    expect(read('no-touch-required')).toEqual({ noTouchRequired: true });
    expect(read('verify-required,no-pty')).toEqual({ verifyRequired: true, noPty: true });
  });

  it('count in their order, as in sshd', () => {
    expect(read('restrict,pty,agent-forwarding')).toEqual({ noPortForwarding: true });
    expect(read('pty,port-forwarding,restrict')).toEqual({
      noPty: true,
      noPortForwarding: true,
      noAgentForwarding: true,
    });
  });

  it('give the key an end', () => {
    expect(read('expiry-time="20991231Z"').expiresAt).toBe('2099-12-31T00:00:00.000Z');
    expect(read('expiry-time="209912312359Z"').expiresAt).toBe('2099-12-31T23:59:00.000Z');
    expect(read('expiry-time="20991231235958"').expiresAt).toBe(
      new Date(2099, 11, 31, 23, 59, 58).toISOString(),
    );
    for (const bad of ['20990230', '2099', 'never', '209913010000', '209901012460']) {
      expect(refusal(`expiry-time="${bad}"`)).toContain('is no time');
    }
  });

  it.each(['cert-authority', 'principals="a"', 'tunnel="0"', 'X11-forwarding', 'user-rc'])(
    '%s is refused with the reason',
    (option) => {
      expect(refusal(option)).toMatch(/cannot be kept: .+; leave it out/);
    },
  );

  it.each([
    '__proto__',
    'constructor="x"',
    'nonsense',
    'pty="yes"',
    'from',
    'command=""',
    'from="1.1.1.1",from="1.1.1.2"',
    'permitopen',
    'environment',
    'verify-required="yes"',
  ])('%s is refused', (option) => {
    expect(refusal(option)).not.toContain('accepted');
  });

  it('are refused when they are badly quoted or separated', () => {
    for (const bad of [
      'command="a',
      'command="a"b"',
      'command=a',
      'no-pty,,no-pty',
      ',no-pty',
      'no-pty,',
      'command="a""b"',
    ]) {
      expect(refusal(bad)).not.toContain('accepted');
    }
  });

  it('cannot hide a control character in a command', () => {
    expect(refusal('command="a\x1bb"')).toContain('control characters');
  });

  it('cannot slow matching down, nor name hosts or broken blocks', () => {
    for (const bad of [
      '*.*.*.*.*',
      'example.com',
      '300.1.1.1',
      '10.0.0',
      'fe80::1%eth0',
      '10.0.0.0/33',
      '::/129',
      '10.0.0/8',
      '1.2.3.4/8/9',
      '',
      '10.0.0.0/-1',
    ]) {
      expect(refusal(`from="${bad}"`)).toContain('from=');
    }
    expect(refusal(`from="${Array(65).fill('1.1.1.1').join(',')}"`)).toContain('64 patterns');
  });
});
