import type { AddedEngine } from '../../engines/engines.ts';
import type { Command } from '../command.ts';
import { getReachedHost } from '../host/reached-host.ts';
import { oneWord, optionText } from '../text-parts.ts';

export const command: Command = {
  path: ['engine', 'add'],
  summary: 'register a container engine: Docker, or what speaks its API, such as Podman',
  description:
    'Its containers are ENGINE/NAME, and by ssh NAME or, where several are called so, NAME.ENGINE. Grants and tags are for\n' +
    'ENGINE/NAME alone. Over a network it takes TLS, both sides with certificates (--tls=FOLDER: ca.pem, cert.pem and key.pem, which the\n' +
    'operator put into DATA/identities/FOLDER, key.pem with mode 0600), or a registered host that the gateway itself logs in to (--ssh).',
  examples: [
    'ssh GATEWAY engine add prod tcp://docker.example.com:2376 --tls=prod',
    'ssh GATEWAY engine add lab unix:///var/run/docker.sock --ssh=lab-server',
    'ssh GATEWAY engine add pods unix:///run/podman/podman.sock',
  ],
  positionals: [
    { name: 'NAME', required: true },
    { name: 'URL', required: true },
  ],
  options: {
    tls: { type: 'string', placeholder: 'FOLDER', describe: 'its certificates, in DATA/identities/FOLDER' },
    ssh: { type: 'string', placeholder: 'HOST', describe: 'the registered host on which URL is' },
    plaintext: { type: 'boolean', describe: 'tcp without TLS, where nobody can listen' },
  },
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  long: true,
  async run({ positionals, options }, context) {
    const [tls, ssh] = [optionText(options['tls']), optionText(options['ssh'])];
    const added = await context.engines.add({
      name: oneWord(positionals['NAME']) ?? '',
      url: oneWord(positionals['URL']) ?? '',
      ...(tls === undefined ? {} : { tls }),
      ...(ssh === undefined ? {} : { ssh: await getReachedHost(ssh, context) }),
      plaintext: options['plaintext'] === true,
      createdBy: context.principal.account.id,
    });
    const { name, url } = added.engine;
    return { data: { name, url, answers: !added.unanswered }, text: `Added "${name}".`, ...noticeOf(added) };
  },
};

function noticeOf({ engine, unanswered }: AddedEngine): { readonly notice?: string } {
  if (!unanswered) return {};
  return { notice: `"${engine.name}" does not answer yet: ${unanswered.message}` };
}
