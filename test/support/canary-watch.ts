import { contentOf } from './exec-host.ts';

/** How often it is looked, in milliseconds. */
const INTERVAL = 5;

/** What others can see of the processes that came of one: their command lines and environments. */
export interface Sighting {
  readonly commandLine: string;
  readonly environment: string;
}

/** Looks at the children of a process, and theirs, until it is told to stop. */
export function watchChildrenOf(root: number): { stop(): Sighting[] } {
  const seen = new Map<string, Sighting>();
  const look = () => {
    const parents = [[root, lineOf(root)] as const];
    for (const [parent, parentLine] of parents) {
      const list = contentOf(`/proc/${parent}/task/${parent}/children`) ?? '';
      for (const child of list.split(' ').filter(Boolean).map(Number)) {
        const commandLine = lineOf(child);
        const environment = contentOf(`/proc/${child}/environ`) ?? '';
        // Until it is the program that was asked for, a new process is a copy of its parent.
        const isItself = commandLine !== '' && commandLine !== parentLine;
        if (isItself && lineOf(child) === commandLine) {
          seen.set(`${child} ${commandLine} ${environment}`, { commandLine, environment });
        }
        parents.push([child, commandLine]);
      }
    }
  };
  const timer = setInterval(look, INTERVAL);
  return {
    stop: () => {
      clearInterval(timer);
      return [...seen.values()];
    },
  };
}

function lineOf(pid: number): string {
  return contentOf(`/proc/${pid}/cmdline`) ?? '';
}
