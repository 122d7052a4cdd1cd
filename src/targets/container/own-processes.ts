/** Whether a container has processes of its own, as its inspection says: nothing (Docker), or `private` (Podman). */
export const hasOwnProcesses = ({ PidMode }: { readonly PidMode?: string | undefined }): boolean =>
  !PidMode || PidMode === 'private';
