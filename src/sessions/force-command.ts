import type { SessionRequest, SessionStart } from './session.ts';

/** sshd(8) command=: the request with that command in the place of whatever was asked, which it can look at. */
export function forceCommand(request: SessionRequest, command: string): SessionRequest {
  const original = originalOf(request.start);
  return {
    ...request,
    start: { kind: 'exec', command },
    ...(original === undefined ? {} : { originalCommand: original }),
  };
}

function originalOf(start: SessionStart): string | undefined {
  if (start.kind === 'exec') return start.command;
  return start.kind === 'subsystem' ? start.name.replaceAll('\0', '') : undefined;
}
