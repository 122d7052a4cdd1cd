import { describe, expect, it } from 'vitest';
import { findSelfId, toTargets } from '../../../../src/targets/container/container-list.ts';
import { parseEngineAddress } from '../../../../src/targets/container/engine-address.ts';
import type { ContainerSummary } from '../../../../src/targets/container/engine-api.ts';
import { shortReason, translateEngineError } from '../../../../src/targets/container/engine-errors.ts';

describe('the address of the engine', () => {
  it('is a unix socket or host and port; without one DOCKER_HOST, else the usual socket', () => {
    expect(parseEngineAddress('unix:///run/d.sock')).toEqual({ kind: 'unix', path: '/run/d.sock' });
    expect(parseEngineAddress('tcp://[::1]:2375')).toEqual({ kind: 'tcp', host: '::1', port: 2375 });
    expect(parseEngineAddress('tcp://engine:2375/')).toEqual({ kind: 'tcp', host: 'engine', port: 2375 });
    expect(parseEngineAddress(undefined, 'tcp://elsewhere:1')).toEqual({ kind: 'environment' });
    expect(parseEngineAddress(undefined)).toEqual({ kind: 'unix', path: '/var/run/docker.sock' });
  });

  it.each([
    '',
    'unix://',
    'unix://relative',
    '/var/run/docker.sock',
    'tcp://host',
    'tcp://a b:1',
    'http://x:1',
    'ssh://x',
  ])('%j is refused, by its own words', (text) => {
    expect(() => parseEngineAddress(text)).toThrow(/no address of a Docker Engine/);
  });
});

describe('errors of the engine', () => {
  it('that did not answer are told in words', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED /secret/path'), { code: 'ECONNREFUSED' });
    expect(translateEngineError(refused)).toMatchObject({ code: 'engine-unavailable' });
    expect(translateEngineError(refused).message).not.toContain('/secret');
    expect(translateEngineError(new DOMException('late', 'TimeoutError')).message).toContain(
      'no answer in time',
    );
    expect(translateEngineError(undefined).code).toBe('engine-unavailable');
  });

  it('that refused are told with its words, which cannot drive a terminal', () => {
    const failure = { statusCode: 500, message: '(HTTP code 500)', json: { message: 'no\x1b[2J\nway' } };
    expect(translateEngineError(failure).message).toContain('no\\x1b[2J; way');
    expect(shortReason('x'.repeat(1_000)).length).toBeLessThan(310);
  });
});

describe('the list of containers', () => {
  const summary = (over: Partial<ContainerSummary>) =>
    ({
      Id: 'a'.repeat(64),
      Names: ['/web'],
      Image: 'i',
      State: 'running',
      Status: 'Up',
      Created: 1_700_000_000,
      Labels: {},
      HostConfig: { NetworkMode: 'bridge' },
      NetworkSettings: { Networks: {} },
      ...over,
    }) as ContainerSummary;

  it("takes a container's own name among those of its links", () => {
    expect(toTargets([summary({ Names: ['/app/db', '/db'] })], undefined)[0]).toMatchObject({
      name: 'db',
      key: 'container:db',
    });
  });

  it('leaves out itself and what is internal', () => {
    const kept = summary({ Id: 'c'.repeat(64) });
    const listed = toTargets(
      [summary({}), summary({ Id: 'b'.repeat(64), Labels: { 'postern.internal': '' } }), kept],
      'aaaaaaaaaaaa',
    );
    expect(listed.map(({ id }) => id)).toEqual([kept.Id]);
  });

  it('only a host name that the engine made is taken for an id', () => {
    expect(findSelfId('0123456789ab')).toBe('0123456789ab');
    for (const name of ['', 'a', 'gateway', '0123456789a', 'feedfacecafe.example'])
      expect(findSelfId(name)).toBe(undefined);
  });
});
