/** How a program that was started by an exec has ended. */
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayError } from '../../errors.ts';
import type { SessionEnd } from '../../sessions/session.ts';
import { findContainerEnding } from './container-ending.ts';
import type { ContainerFacts, ContainerFactsSource } from './container-facts.ts';
import type { EngineApi } from './engine-api.ts';
import { engineStatus, shortReason } from './engine-errors.ts';
import type { ProgramOutput } from './program-output.ts';
import type { SessionPlan } from './session-plan.ts';

interface EndParts {
  readonly engine: EngineApi;
  readonly facts: ContainerFactsSource;
}

/** To an engine that has forgotten it, it has ended. */
export async function isStillRunning(engine: EngineApi, execId: string): Promise<boolean> {
  try {
    return (await engine.findExitStatus(execId)) === undefined;
  } catch (error) {
    if (engineStatus(error) === 404) return false;
    throw error;
  }
}

const askAgainAfterMs = [5, 20, 50, 100, 200, 400, 800, 1600];
const killed = 137;

/** Throws GatewayError where it never ran, its container has ended, or nobody knows of its end. */
export async function findEnd(
  parts: EndParts,
  execId: string,
  facts: ContainerFacts,
  plan: SessionPlan,
  output: ProgramOutput,
): Promise<SessionEnd> {
  const exitStatus = await findExitStatus(parts, execId);
  if (exitStatus === undefined || exitStatus === killed) {
    const ending = await findContainerEnding(parts, facts);
    if (ending) throw ending;
  }
  if (exitStatus === undefined) throw new GatewayError('engine-failed', { reason: 'it lost the program.' });
  if (output.hasLaunched()) return { exitStatus };
  const held = output.takeHeld();
  const text = Buffer.concat(held.map(([, data]) => data)).toString();
  if (plan.launch.marker === undefined && !text.startsWith('OCI runtime exec failed')) {
    for (const [stream, data] of held) output.push(stream, data);
    return { exitStatus };
  }
  return notStarted(text, exitStatus, facts, plan, output);
}

/** Undefined where the engine cannot tell. Its stream may end a moment before it knows. */
async function findExitStatus({ engine }: EndParts, execId: string): Promise<number | undefined> {
  for (const ms of [0, ...askAgainAfterMs]) {
    if (ms) await pause(ms);
    try {
      const exitStatus = await engine.findExitStatus(execId);
      if (exitStatus !== undefined) return exitStatus;
    } catch (error) {
      if (engineStatus(error) === undefined) throw error;
      return undefined;
    }
  }
  return undefined;
}

/** What the engine said in the program's place, as a shell would say it. */
function notStarted(
  text: string,
  exitStatus: number,
  facts: ContainerFacts,
  plan: SessionPlan,
  output: ProgramOutput,
): SessionEnd {
  if (/unable to find user/.test(text)) {
    throw new GatewayError('no-such-user', { user: plan.user.name, target: facts.name });
  }
  const say = (problem: string, status: number): SessionEnd => {
    const program = shortReason(plan.launch.argv[0] ?? '');
    output.push('stderr', Buffer.from(`${program}: ${problem}\n`));
    return { exitStatus: status };
  };
  if (plan.launch.marker === undefined) {
    if (/not found in \$PATH|no such file or directory/.test(text)) return say('command not found', 127);
    if (/permission denied/.test(text)) return say('permission denied', 126);
  }
  throw new GatewayError('engine-failed', {
    reason: shortReason(text) || `the program ended with status ${exitStatus} before it began.`,
  });
}
