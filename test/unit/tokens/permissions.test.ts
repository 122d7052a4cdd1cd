import { describe, expect, it } from 'vitest';
import { MalformedToken } from '../../../src/tokens/malformed-token.ts';
import {
  earliestTime,
  formatPermissions,
  latestTime,
  parsePermissions,
} from '../../../src/tokens/permissions.ts';

const parse = (text: string) => parsePermissions(Buffer.from(text));

describe('permissions as they are read', () => {
  it('nothing named is nothing read', () => {
    expect(parse('{}')).toEqual({});
    expect(parse('{"cmds":[]}')).toEqual({ cmds: [] });
  });

  it.each(['exp', 'nbf'] as const)('%s is from 2000 to 2100, both included', (field) => {
    expect(earliestTime).toBe(Date.UTC(2000, 0) / 1000);
    expect(latestTime).toBe(Date.UTC(2100, 0) / 1000);
    for (const time of [earliestTime, latestTime])
      expect(parse(`{"${field}":${time}}`)).toEqual({ [field]: time });
    for (const time of [earliestTime - 1, latestTime + 1]) {
      expect(() => parse(`{"${field}":${time}}`)).toThrow(MalformedToken);
    }
  });

  it('ctx is the very bytes that were signed', () => {
    const written = '{ "b" : 1e400,  "a":"\\u0041é", "n":[ 1.50, -0 ] }';
    const { ctx } = parse(`{"exp":4000000000, "ctx" :  ${written} , "nbf":946684800}`);
    expect(ctx?.toString()).toBe(written);
    expect(parse('{"ctx":"a,}]\\"b"}').ctx?.toString()).toBe('"a,}]\\"b"');
    expect(parse('{"ctx": -12.5e3 }').ctx?.toString()).toBe('-12.5e3');
  });
});

describe('permissions as they are written', () => {
  it('are read back as they were', () => {
    const permissions = {
      exp: 4_000_000_000,
      nbf: 946_684_800,
      cmds: ['ssh "web"', 'é'],
      ctx: Buffer.from('{"a": 1}'),
    };
    expect(parsePermissions(formatPermissions(permissions))).toEqual(permissions);
    expect(formatPermissions({}).toString()).toBe('{}');
  });

  it.each([
    ['a second member', '1,"exp":4000000000'],
    ['the end of the object', '1}'],
    ['nothing', ''],
    ['what is no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a line feed', '{\n}'],
  ])('ctx cannot bring %s', (_name, ctx) => {
    expect(() => formatPermissions({ ctx: Buffer.from(ctx) })).toThrow(MalformedToken);
  });

  it('times that no gateway takes are not written', () => {
    for (const exp of [latestTime + 1, 1.5, Number.NaN, 1e21]) {
      expect(() => formatPermissions({ exp })).toThrow(MalformedToken);
    }
  });
});
