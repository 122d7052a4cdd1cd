/** What a token leaves of what its account may do. All of these do nothing for somebody who came without one. */
import { GatewayError } from '../errors.ts';
import { dottedName } from '../targets/engine-names.ts';
import type { ContainerTarget, Target } from '../targets/target.ts';
import type { TokenFacts } from './identity.ts';

/**
 * Throws token-not-allowed unless the command is named. A parent names no subcommand and none names its parent.
 * Where the command opens sessions in targets, `ssh NAME` lets it run; which target, `checkTokenCovers` decides.
 */
export function checkTokenAllows(
  token: TokenFacts | undefined,
  name: string,
  { opensTargets = false }: { readonly opensTargets?: boolean } = {},
): void {
  if (!token) return;
  const isNamed = token.cmds.includes(name);
  const isNamedForOne = opensTargets && token.cmds.some((entry) => entry.startsWith(`${name} `));
  if (token.container !== undefined || !(isNamed || isNamedForOne)) {
    throw new GatewayError('token-not-allowed', {});
  }
}

/** Throws token-passes where what is done would be there when the token is not. */
export function checkTokenIsLasting(token: TokenFacts | undefined, what: string): void {
  if (token?.exp !== undefined || token?.container !== undefined) {
    throw new GatewayError('token-passes', { what });
  }
}

/** Throws token-not-allowed when the token is for other targets, or for none. */
export function checkTokenCovers(token: TokenFacts | undefined, target: Target, targetPrefix: string): void {
  if (!token) return;
  const covers =
    token.container === undefined
      ? ['ssh', `ssh ${target.name}`, `ssh ${targetPrefix}${target.name}`].some((entry) =>
          token.cmds.includes(entry),
        )
      : target.kind === 'container' && isForContainer(token.container, target);
  if (!covers) throw new GatewayError('token-not-allowed', {});
}

/** `NAME`, or `NAME.ENGINE` of a registered engine's, as host names have them; those have no case, Docker's names do. */
function isForContainer(named: string, target: ContainerTarget): boolean {
  const name = target.engine === undefined ? target.name : dottedName(target);
  return [name, name.toLowerCase()].includes(named);
}
