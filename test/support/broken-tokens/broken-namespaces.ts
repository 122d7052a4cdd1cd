/** Sound signatures, made for something else. */
import { commandsNamespace, domain } from '../tokens.ts';
import { type BrokenToken, forge } from './broken-token.ts';

const commandNamespaces: BrokenToken[] = (
  [
    ['another domain', 'v0@other.example'],
    ['the domain in capitals', commandsNamespace.toUpperCase()],
    ['the prefix in capitals', `V0@${domain}`],
    ['a later version', `v1@${domain}`],
    ['no version', domain],
    ['no domain', 'v0@'],
    ['an empty namespace', ''],
    ['a dot behind the domain', `${commandsNamespace}.`],
    ['a domain that begins with ours', `${commandsNamespace}.evil.example`],
    ['a domain that ends with ours', `v0@evil${domain}`],
    ['a port behind the domain', `${commandsNamespace}:443`],
    ['a NUL behind the domain', `${commandsNamespace}\0`],
    ['a NUL and another domain', `${commandsNamespace}\0.evil.example`],
    ['another domain, a NUL and ours', `v0@evil.example\0${commandsNamespace}`],
    ['a line feed behind the domain', `${commandsNamespace}\n`],
    ['a blank in front', ` ${commandsNamespace}`],
    ['a letter of another alphabet', commandsNamespace.replace('a', '\u0430')],
    ['a file', 'file'],
    ['a commit', 'git'],
  ] as const
).map(([name, namespace]) => ({
  name: `signed for ${name}`,
  broken: forge({ namespace }),
  mended: forge(),
  refused: /signed for another gateway/,
}));

const containerNamespaces: BrokenToken[] = (
  [
    ['a container of another domain', 'v0@web.other.example', /another gateway/],
    ['a container without a name', `v0@.${domain}`, /another gateway/],
    ['a container with a NUL in its name', `v0@web\0.${domain}`, /another gateway/],
    ['a container with a blank in its name', `v0@we b.${domain}`, /another gateway/],
    ['a container with a slash in its name', `v0@../web.${domain}`, /another gateway/],
    ['a container whose name begins with a dash', `v0@-web.${domain}`, /another gateway/],
    ['a container and a domain behind ours', `v0@web.${domain}.evil.example`, /another gateway/],
    ['a container without the version', `web.${domain}`, /another gateway/],
    ['commands, but shown for a container', commandsNamespace, /commands, not for a container/],
  ] as const
).map(([name, namespace, refused]) => ({
  name: `signed for ${name}`,
  broken: forge({ namespace }),
  mended: forge({ namespace: `v0@web.${domain}` }),
  refused,
  kind: 'container',
}));

const otherDoors: BrokenToken[] = [
  {
    name: 'signed for a container, but shown for commands',
    broken: forge({ namespace: `v0@web.${domain}` }),
    mended: forge({ namespace: `v0@web.${domain}` }),
    mendedKind: 'container',
    refused: /one container, not for commands/,
  },
];

export const brokenNamespaces: readonly BrokenToken[] = [
  ...commandNamespaces,
  ...containerNamespaces,
  ...otherDoors,
];
