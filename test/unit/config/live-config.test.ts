import { describe, expect, it } from 'vitest';
import { createLiveConfig } from '../../../src/config/live-config.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { putInForce } from '../../../src/config/reload.ts';

const load = (flags: Record<string, unknown> = {}) => loadConfig({ env: {}, flags }).config;

describe('a live configuration', () => {
  it('gives the values of now to whoever holds it, and cannot be changed by them', () => {
    const live = createLiveConfig(load());
    const { config } = live;
    live.replace(load({ maxAuthTries: 3 }));
    expect(config.maxAuthTries).toBe(3);
    expect(() => Object.assign(config, { maxAuthTries: 99 })).toThrow(TypeError);
    expect({ ...config }).toEqual(load({ maxAuthTries: 3 }));
  });

  it('takes over what is live, and keeps what needs a restart as it was', () => {
    const live = createLiveConfig(load());
    const changes = live.replace(load({ logLevel: 'debug', sshListen: '127.0.0.1:1', domain: 'gw.example' }));
    expect(changes).toEqual({ applied: ['logLevel'], waiting: ['sshListen', 'domain'] });
    expect([live.config.logLevel, live.config.sshListen, live.config.domain]).toEqual([
      'debug',
      '0.0.0.0:2222',
      'localhost',
    ]);
  });

  it('says so at each reload for as long as the restart is awaited', () => {
    const live = createLiveConfig(load());
    const next = load({ sshListen: '127.0.0.1:1' });
    live.replace(next);
    expect(live.replace(next)).toEqual({ applied: [], waiting: ['sshListen'] });
  });

  it('compares lists and objects by what is in them', () => {
    const live = createLiveConfig(load());
    expect(live.replace(load())).toEqual({ applied: [], waiting: [] });
    expect(live.replace(load({ acceptEnv: ['LANG'] })).applied).toEqual(['acceptEnv']);
  });

  it('tells those who must act', () => {
    const live = createLiveConfig(load());
    const seen: string[] = [];
    live.onReplace(() => seen.push(live.config.logLevel));
    live.replace(load({ logLevel: 'trace' }));
    expect(seen).toEqual(['trace']);
  });
});

describe('a reload', () => {
  it('says what is in force, and what waits for a restart', () => {
    const live = createLiveConfig(load());
    expect(putInForce(live, load({ maxAuthTries: 3, docker: 'tcp://a:1' }))).toBe(
      'The configuration was read again; in force from now on: maxAuthTries. Changed too, but in force only after a restart: docker.',
    );
  });

  it('that is refused changes nothing', () => {
    const live = createLiveConfig(load());
    expect(() => putInForce(live, load({ maxAuthTries: 0, logLevel: 'debug' }))).toThrow(/maxAuthTries/);
    expect(live.config.logLevel).toBe('info');
  });
});
