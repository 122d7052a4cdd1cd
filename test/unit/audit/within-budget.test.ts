import { describe, expect, it } from 'vitest';
import { withinBudget } from '../../../src/audit/within-budget.ts';

function open() {
  const clock = { nowMs: 0, now: () => clock.nowMs };
  const told: (readonly [string, object])[] = [];
  const sink = withinBudget([(event, fields) => told.push([event, fields])], clock);
  return { clock, told, sink };
}

describe('log-flood', () => {
  it('one source has so many lines at once and few after that; the next says how many are missing', () => {
    const { clock, told, sink } = open();
    for (let index = 0; index < 10_000; index++) sink('login-refused', { source: '192.0.2.7', reason: 'x' });
    expect(told).toHaveLength(500);
    clock.nowMs += 1_000;
    sink('login-refused', { source: '192.0.2.7', reason: 'x' });
    sink('login-refused', { source: '192.0.2.7', reason: 'x' });
    expect(told.slice(500)).toEqual([['login-refused', { source: '192.0.2.7', reason: 'x', untold: 9_500 }]]);
  });

  it('does not silence another source, nor what is of somebody known', () => {
    const { told, sink } = open();
    for (let index = 0; index < 1_000; index++) sink('connection-refused', { source: '192.0.2.7' });
    sink('connection-refused', { source: '192.0.2.8' });
    sink('command-run', { source: '192.0.2.7', account: 'alice' });
    sink('connection-closed', { connectionId: 'x' });
    expect(told.slice(-3).map(([event]) => event)).toEqual([
      'connection-refused',
      'command-run',
      'connection-closed',
    ]);
  });

  it('sources without number have a budget together', () => {
    const { told, sink } = open();
    for (let index = 0; index < 50_000; index++)
      sink('login-refused', { source: `2001:db8::${index.toString(16)}` });
    expect(told).toHaveLength(2_000);
  });
});
