import { setTimeout as pause } from 'node:timers/promises';
import { type GatewayError, isGatewayError } from '../../errors.ts';
import type { ContainerFacts, ContainerFactsSource } from './container-facts.ts';

/** Whether the container is what has ended: an engine that does not answer says nothing of it. */
export const isContainerEnding = (error: unknown): error is GatewayError =>
  isGatewayError(error) && (error.code === 'container-ended' || error.code === 'container-gone');

/** A killed container's programs are seen to die a moment before it is seen to stop. */
const containerMayFollowMs = [0, 50, 150];

/** Why a program ended, if its container is to blame. */
export async function findContainerEnding(
  parts: { readonly facts: ContainerFactsSource },
  facts: ContainerFacts,
): Promise<GatewayError | undefined> {
  for (const ms of containerMayFollowMs) {
    if (ms) await pause(ms);
    const ending = await parts.facts.findEnding(facts);
    if (ending) return ending;
  }
  return undefined;
}
