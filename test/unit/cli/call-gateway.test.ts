import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectToGateway } from '../../../src/cli/call-gateway.ts';

const module = new URL('../../../src/cli/call-gateway.ts', import.meta.url).href;

/** What somebody reads who may not look into the folder. Root may, and leaves that behind first. */
const asStranger = (dataDir: string) =>
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `const { connectToGateway } = await import(${JSON.stringify(module)});
       if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
       await connectToGateway(process.argv[1]).catch((error) => console.log(error.name, error.message));`,
      dataDir,
    ],
    { encoding: 'utf8' },
  );

it('who may not open the control socket is told so, and not that there is no gateway', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-call-'));
  await expect(connectToGateway(folder)).rejects.toThrow(/no gateway answers at .*control\.sock; start one/);
  await chmod(folder, 0);
  const shown = asStranger(folder);
  rmdirSync(folder);
  expect(shown).toMatch(/^Error this user may not open .*control\.sock; run it as the user that runs/);
});
