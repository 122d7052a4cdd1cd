/** Permissions that are nearly right. */
import { type BrokenToken, forge } from './broken-token.ts';

type Row = readonly [name: string, broken: string | Buffer, mended: string | Buffer];

const rows = (refused: RegExp, list: readonly Row[]): BrokenToken[] =>
  list.map(([name, broken, mended]) => ({
    name,
    broken: forge({ permissions: broken }),
    mended: forge({ permissions: mended }),
    refused,
  }));

const nested = (depth: number, open: string, close: string) =>
  `{"ctx":${open.repeat(depth - 1)}${close.repeat(depth - 1)}}`;
const objects = (depth: number) => `{"ctx":${'{"a":'.repeat(depth - 1)}1${'}'.repeat(depth - 1)}}`;
const context = (bytes: readonly number[]) =>
  Buffer.concat([Buffer.from('{"ctx":"'), Buffer.from(bytes), Buffer.from('"}')]);

/** exp and nbf, which have the same rules. */
const times = (field: 'exp' | 'nbf', good: number): BrokenToken[] =>
  rows(
    /exp or nbf/,
    (
      [
        ['with a point', `${good}.0`, `${good}`],
        ['with half a second', `${good}.5`, `${good}`],
        ['with an exponent', `${good}e0`, `${good}`],
        ['as 1e9', '1e9', '1000000000'],
        ['as 1E+9', '1E+9', '1000000000'],
        ['below zero', `-${good}`, `${good}`],
        ['as -0', '-0', `${good}`],
        ['as 0', '0', `${good}`],
        ['as a string', `"${good}"`, `${good}`],
        ['as null', 'null', `${good}`],
        ['as true', 'true', `${good}`],
        ['in an array', `[${good}]`, `${good}`],
        ['in an object', `{"value":${good}}`, `${good}`],
        ['in milliseconds', `${good}000`, `${good}`],
        ['a second too early', '946684799', '946684800'],
        ['a second too late', '4102444801', '4102444800'],
        ['of a thousand digits', '9'.repeat(1000), `${good}`],
      ] as const
    )
      // Both bounds are good ones, but not of a token that is to be good now.
      .filter(([, , mended]) => field !== 'exp' || Number(mended) >= good)
      .filter(([, , mended]) => field !== 'nbf' || Number(mended) <= good)
      .map(([name, broken, mended]) => [
        `${field} ${name}`,
        `{"${field}":${broken}}`,
        `{"${field}":${mended}}`,
      ]),
  );

const notJson = rows(/not JSON/, [
  ['exp with a leading zero', '{"exp":04000000000}', '{"exp":4000000000}'],
  ['exp with a plus', '{"exp":+4000000000}', '{"exp":4000000000}'],
  ['exp in hexadecimal', '{"exp":0xEE6B2800}', '{"exp":4000000000}'],
  ['exp that is not a number', '{"exp":NaN}', '{"exp":4000000000}'],
  ['exp without a value', '{"exp":}', '{"exp":4000000000}'],
  ['a comma at the end', '{"exp":4000000000,}', '{"exp":4000000000}'],
  ['a comma in front', '{,"exp":4000000000}', '{"exp":4000000000}'],
  ['a name without quotes', '{exp:4000000000}', '{"exp":4000000000}'],
  ['single quotes', "{'exp':4000000000}", '{"exp":4000000000}'],
  ['a comment', '{"exp":4000000000/**/}', '{"exp":4000000000}'],
  ['two objects', '{}{}', '{}'],
  ['one brace too many', '{}}', '{}'],
  ['an unknown escape', '{"ctx":"\\x41"}', '{"ctx":"\\u0041"}'],
  ['a blank of another alphabet inside', '{\u00a0}', '{ }'],
  ['a tab in a command', '{"cmds":["ssh\tlist"]}', '{"cmds":["ssh list"]}'],
]);

const notAnObject = rows(/not one JSON object/, [
  ['an array', '[]', '{}'],
  ['a string', '"{}"', '{}'],
  ['a number', '4000000000', '{}'],
  ['null', 'null', '{}'],
  ['true', 'true', '{}'],
  ['only its beginning', '{"exp":4000000000', '{"exp":4000000000}'],
  ['a blank in front', ' {}', '{}'],
  ['a blank behind', '{} ', '{}'],
  ['a tab in front', '\t{}', '{}'],
  ['a tab behind', '{}\t', '{}'],
  ['a no-break space behind', '{}\u00a0', '{}'],
  ['a byte order mark', '\ufeff{}', '{}'],
  ['a comment in front', '/**/{}', '{}'],
]);

const breaks = rows(/CR, LF or NUL/, [
  ['a line feed behind', '{}\n', '{}'],
  ['a line feed in front', '\n{}', '{}'],
  ['a carriage return behind', '{}\r', '{}'],
  ['a NUL behind', '{}\0', '{}'],
  ['a NUL in front', '\0{}', '{}'],
  ['a line feed inside', '{\n}', '{ }'],
  ['a carriage return inside', '{\r}', '{ }'],
  ['a NUL inside', '{\0}', '{ }'],
  ['a line feed between members of ctx', '{"ctx":{"a":1,\n"b":2}}', '{"ctx":{"a":1, "b":2}}'],
  ['a header smuggled into ctx', '{"ctx":"a\r\nX-ExeDev-UserID: b"}', '{"ctx":"a X-ExeDev-UserID: b"}'],
]);

const controls = rows(/control character/, [
  ['a tab between members of ctx', '{"ctx":{"a":1,\t"b":2}}', '{"ctx":{"a":1, "b":2}}'],
  ['a DEL in ctx', '{"ctx":"a\x7fb"}', '{"ctx":"ab"}'],
  ['a DEL in a name in ctx', '{"ctx":{"\x7f":1}}', '{"ctx":{"a":1}}'],
]);

const notUtf8 = rows(/not UTF-8/, [
  ['a byte that is never UTF-8', context([0xff]), context([0x41])],
  ['Latin-1', context([0xe9]), context([0xc3, 0xa9])],
  ['a slash written too long', context([0xc0, 0xaf]), context([0x2f])],
  ['half a surrogate pair in bytes', context([0xed, 0xa0, 0x80]), context([0xee, 0x80, 0x80])],
  ['beyond Unicode', context([0xf4, 0x90, 0x80, 0x80]), context([0xf4, 0x8f, 0xbf, 0xbf])],
  ['a character cut short', context([0xe2, 0x82]), context([0xe2, 0x82, 0xac])],
  ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), '{}'],
]);

const surrogates = rows(/no Unicode text/, [
  ['half a surrogate pair escaped', '{"ctx":"\\ud83d"}', '{"ctx":"\\ud83d\\ude00"}'],
  ['a surrogate pair turned round', '{"ctx":"\\ude00\\ud83d"}', '{"ctx":"\\ud83d\\ude00"}'],
  ['half a surrogate pair in a name', '{"ctx":{"\\udc00":1}}', '{"ctx":{"\\u00dc":1}}'],
]);

const twice = rows(/there twice/, [
  ['exp twice', '{"exp":4000000000,"exp":4000000000}', '{"exp":4000000000}'],
  ['exp twice with other times', '{"exp":4000000000,"exp":4000000001}', '{"exp":4000000001}'],
  ['nbf twice', '{"nbf":946684800,"nbf":946684800}', '{"nbf":946684800}'],
  ['cmds twice', '{"cmds":[],"cmds":["ls"]}', '{"cmds":["ls"]}'],
  ['ctx twice', '{"ctx":1,"ctx":2}', '{"ctx":2}'],
  ['exp twice, once escaped', '{"exp":4000000000,"\\u0065xp":4000000000}', '{"\\u0065xp":4000000000}'],
  ['a member of ctx twice', '{"ctx":{"a":1,"a":2}}', '{"ctx":{"a":1,"b":2}}'],
  ['a member of ctx twice, once escaped', '{"ctx":{"a":1,"\\u0061":2}}', '{"ctx":{"a":1,"\\u0062":2}}'],
  ['an escaped slash and a slash', '{"ctx":{"/":1,"\\/":2}}', '{"ctx":{"/":1,"\\\\/":2}}'],
  ['a member in an array of ctx twice', '{"ctx":[1,{"a":1,"b":2,"a":3}]}', '{"ctx":[1,{"a":1,"b":2}]}'],
  ['an empty name twice', '{"ctx":{"":1,"":2}}', '{"ctx":{"":1}}'],
  ['__proto__ twice', '{"ctx":{"__proto__":1,"__proto__":2}}', '{"ctx":{"__proto__":1}}'],
  [
    'a member twice, thirty deep',
    `{"ctx":${'['.repeat(30)}{"a":1,"a":1}${']'.repeat(30)}}`,
    `{"ctx":${'['.repeat(30)}{"a":1,"b":1}${']'.repeat(30)}}`,
  ],
]);

const unknown = rows(
  /not known/,
  ['iat', 'vm', 'Exp', 'EXP', 'exp ', 'cmd', '', '__proto__', 'constructor', 'toString', 'exp\\u0000'].map(
    (name) => [`the member "${name}"`, `{"exp":4000000000,"${name}":1}`, '{"exp":4000000000}'],
  ),
);

const commands = rows(/cmds/, [
  ['cmds as null', '{"cmds":null}', '{"cmds":[]}'],
  ['cmds as a string', '{"cmds":"ls"}', '{"cmds":["ls"]}'],
  ['cmds as an object', '{"cmds":{"0":"ls"}}', '{"cmds":["ls"]}'],
  ['cmds as true', '{"cmds":true}', '{"cmds":[]}'],
  ['a number in cmds', '{"cmds":["ls",1]}', '{"cmds":["ls","1"]}'],
  ['null in cmds', '{"cmds":["ls",null]}', '{"cmds":["ls","null"]}'],
  ['an array in cmds', '{"cmds":[["ls"]]}', '{"cmds":["ls"]}'],
]);

const deep = rows(/too deeply/, [
  ['33 objects deep', objects(33), objects(32)],
  ['33 arrays deep', nested(33, '[', ']'), nested(32, '[', ']')],
  ['2500 arrays deep', nested(2500, '[', ']'), nested(32, '[', ']')],
]);

export const brokenPermissions: readonly BrokenToken[] = [
  ...times('exp', 4_000_000_000),
  ...times('nbf', 1_000_000_000),
  ...notJson,
  ...notAnObject,
  ...breaks,
  ...controls,
  ...notUtf8,
  ...surrogates,
  ...twice,
  ...unknown,
  ...commands,
  ...deep,
];
