/** What there is of an sshd in a container. */
import { isGatewayError } from '../errors.ts';
import type { ContainerEngine, ContainerTarget } from '../targets/target.ts';
import { withSystemPath } from './system-path.ts';

export interface SshdStatus {
  readonly installed: boolean;
  readonly running: boolean;
  /** Of sshd's own configuration; 22 when that says none. */
  readonly port: number;
}

const defaultPort = 22;
const absent: SshdStatus = { installed: false, running: false, port: defaultPort };
const withinMs = 20_000;

/**
 * By the name of its program and the root it runs in: a container may see the processes of others. Sets `running`.
 */
export const findRunning = `running=no
for folder in /proc/[0-9]*; do
  name=
  { read -r name <"$folder/comm"; } 2>/dev/null
  if [ "$name" = sshd ] && [ "$folder/root" -ef / ]; then running=yes; break; fi
done
`;

const script = `${withSystemPath}sshd=$(command -v sshd) || exit 0
echo installed
${findRunning}echo "running $running"
"$sshd" -T 2>/dev/null`;

/** Of a container that does not run: neither installed nor running. Throws what `runScript` throws. */
export async function findSshdStatus(
  engine: Pick<ContainerEngine, 'runScript'>,
  target: ContainerTarget,
): Promise<SshdStatus> {
  if (target.state !== 'running') return absent;
  try {
    const { stdout } = await engine.runScript(target, {
      script,
      user: 'root',
      withinMs,
      maxOutputBytes: 64 * 1024,
    });
    return parseStatus(stdout.toString('latin1'));
  } catch (error) {
    if (isGatewayError(error, 'no-shell')) return absent;
    throw error;
  }
}

/** The first of several ports, as `ssh-keyscan` and people would try them. */
export function parseStatus(text: string): SshdStatus {
  const [first, second = '', ...settings] = text.split('\n');
  if (first !== 'installed') return absent;
  const port = Number(settings.map((line) => /^port (\d{1,5})$/i.exec(line)?.[1]).find(Boolean));
  return {
    installed: true,
    running: second === 'running yes',
    port: port >= 1 && port <= 65_535 ? port : defaultPort,
  };
}
