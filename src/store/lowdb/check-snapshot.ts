import { GatewayError } from '../../errors.ts';
import { NewerDocument, readDocument, UnreadableDocument } from '../document.ts';
import { migrations } from '../migrations.ts';
import { schemaVersion } from '../schema.ts';

/** Whether a store opens from what `snapshot` gave. Throws backup-refused. */
export function checkSnapshot(text: string): void {
  try {
    readDocument(text, migrations, schemaVersion);
  } catch (cause) {
    if (cause instanceof NewerDocument) {
      const problem = `a newer version of Postern made it (schema ${cause.found}, this one knows ${schemaVersion}); restore it with that version`;
      throw new GatewayError('backup-refused', { problem }, { cause });
    }
    if (!(cause instanceof UnreadableDocument)) throw cause;
    throw new GatewayError(
      'backup-refused',
      { problem: `its store is damaged: ${cause.message}` },
      { cause },
    );
  }
}
