/**
 * A resident as a process of this machine, where the gateway is root and sees it: then the gateway itself opens the other
 * ends of its programs' pipes, and bulk passes no process between.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';

/** The gateway's ends of one program's streams. */
export interface PipeEnds {
  /** Undefined where nobody reads it. */
  readonly stdin: Socket | undefined;
  readonly stdout: Socket;
  readonly stderr: Socket;
  close(): void;
}

export interface ResidentProcess {
  /**
   * `told`: the numbers of the resident's ends of stdin, stdout and stderr, a stranger's word. Undefined where one of them
   * is not a pipe of the resident's user.
   */
  openPipes(told: unknown): PipeEnds | undefined;
  close(): void;
}

/** open(2); Node has no name for it. The file is named, but neither read nor written. */
const oPath = 0o10000000;

/**
 * `pid` is the engine's word, and may count another machine's processes: it is the one whose last argument is `token`. The
 * folder is held open, so that it is never a later process of that number.
 */
export function findResidentProcess(pid: number, token: string): ResidentProcess | undefined {
  let folder: number | undefined;
  try {
    folder = openSync(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY);
    const path = `/proc/self/fd/${folder}`;
    if (!readFileSync(`${path}/cmdline`, 'latin1').endsWith(`\0${token}\0`))
      throw new Error('another process');
    // Whoever may not look into it, learns that here.
    closeSync(openSync(`${path}/fd/0`, oPath));
    return processAt(folder, path);
  } catch {
    if (folder !== undefined) closeSync(folder);
    return undefined;
  }
}

function processAt(folder: number, path: string): ResidentProcess {
  let isOpen = true;
  return {
    openPipes(told) {
      const [, ...numbers] = /^(\d{1,7}|-),(\d{1,7}),(\d{1,7})$/.exec(String(told)) ?? [];
      if (!isOpen || numbers.length === 0) return undefined;
      const opened: number[] = [];
      const open = (number: string | undefined, flags: number) => {
        const fd = openPipe(`${path}/fd/${number}`, fstatSync(folder).uid, flags);
        opened.push(fd);
        return fd;
      };
      try {
        for (const number of numbers.slice(1)) open(number, constants.O_RDONLY);
        if (numbers[0] !== '-') openUnlessUnread(() => open(numbers[0], constants.O_WRONLY));
      } catch {
        for (const fd of opened) closeSync(fd);
        return undefined;
      }
      return endsOf(opened);
    },
    close() {
      if (isOpen) closeSync(folder);
      isOpen = false;
    },
  };
}

/**
 * Looks before it opens: to open a device may do something, and what is not that user's own is not to be had by asking
 * the gateway for it.
 */
function openPipe(path: string, uid: number, flags: number): number {
  const named = openSync(path, oPath);
  try {
    const found = fstatSync(named);
    if (!found.isFIFO() || found.uid !== uid) throw new Error('no pipe of that user');
    return openSync(`/proc/self/fd/${named}`, flags | constants.O_NONBLOCK);
  } finally {
    closeSync(named);
  }
}

/** To write to a pipe that nobody reads cannot be had. */
function openUnlessUnread(open: () => void): void {
  try {
    open();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
  }
}

/** Of stdout, stderr and perhaps stdin. */
function endsOf(opened: readonly number[]): PipeEnds {
  const sockets = opened.map((fd, index) => {
    const writable = index === 2;
    return new Socket({ fd, readable: !writable, writable });
  });
  for (const each of sockets) each.on('error', () => {});
  const [stdout, stderr, stdin] = sockets;
  return {
    stdin,
    stdout: stdout as Socket,
    stderr: stderr as Socket,
    close() {
      for (const each of sockets) each.destroy();
    },
  };
}
