import { quoted } from '../domain/shell.ts';
import type { Diagnosis, DiagnosisName } from './diagnosis.ts';

/** What can be done where a lease is. */
export interface Reach {
  /** Whether leasectl's own service is there, and lets whoever asks administer it. */
  readonly isAdministered: boolean;
  /** The profile to be named, where it is not what commands would take anyway. */
  readonly profile: string | undefined;
  /** The profile that is asked, where one is stored for it. */
  readonly stored: string | undefined;
  /** What `--kind` has to be, where the id does not tell. */
  readonly kind: string | undefined;
  /** Ids that may have been meant. */
  readonly meant: readonly string[];
}

/** A command of leasectl's, with what stands behind it. */
interface Line {
  readonly command: string;
  readonly id?: string | undefined;
  readonly flags?: readonly string[] | undefined;
}
type Step = (diagnosis: Diagnosis, reach: Reach) => Line | undefined;

/** The command to type next; undefined where there is none that would help. */
export function nextOf(diagnosis: Diagnosis, reach: Reach): string | undefined {
  const { facts, name } = diagnosis;
  // Whoever stopped it is to let it go on.
  if (name === 'suspended') return `kill -CONT ${facts.origin?.pid}`;
  const line = STEPS[name](diagnosis, reach);
  if (!line) return undefined;
  const { command, id, flags = [] } = line;
  const profile =
    reach.profile === undefined || name === 'unreachable' ? [] : ['--profile', reach.profile];
  const all = [...flags, ...profile];
  const isFlag = id?.startsWith('-');
  const rest = id === undefined ? all : isFlag ? [...all, '--', id] : [id, ...all];
  return ['leasectl', ...command.split(' '), ...rest].map(quoted).join(' ');
}

function named(command: string, { facts }: Diagnosis, { kind }: Reach): Line {
  return { command, id: facts.sighting.id, flags: kind === undefined ? [] : ['--kind', kind] };
}

const watch: Step = (diagnosis, reach) => named('watch', diagnosis, reach);

/** Who wants what is free takes it. */
const take: Step = (diagnosis, reach) => {
  const { kind, id } = diagnosis.facts.sighting;
  if (kind === 'key') return { command: 'lease', id };
  if (kind === 'job') return { command: 'jobs claim', id };
  // A runner gets what fits it.
  return reach.isAdministered ? administered('admin leases show', diagnosis) : undefined;
};

const KINDS = { key: 'key', job: 'job', runner_job: 'runner-job' } as const;

function administered(command: string, { facts: { sighting } }: Diagnosis): Line {
  return { command, id: sighting.id, flags: ['--kind', KINDS[sighting.kind]] };
}

const STEPS: Readonly<Record<DiagnosisName, Step>> = {
  healthy: (diagnosis, reach) => {
    const { kind, id } = diagnosis.facts.sighting;
    return kind === 'key' ? { command: 'wait', id } : watch(diagnosis, reach);
  },
  late: watch,
  stopping: watch,
  suspended: () => undefined,
  gone: (diagnosis, reach) => {
    const { sighting, held } = diagnosis.facts;
    if (reach.isAdministered) {
      const { flags = [], ...line } = named('break', diagnosis, reach);
      return { ...line, flags: [...flags, '--reason', 'its process is gone'] };
    }
    if (sighting.kind !== 'job' || !held) return watch(diagnosis, reach);
    const flags = ['--error-code', 'holder_gone', '--retryable'];
    return { command: 'jobs fail', id: sighting.id, flags };
  },
  expired: take,
  waiting: take,
  broken: take,
  finished: (diagnosis, { isAdministered }) => {
    const { kind, id } = diagnosis.facts.sighting;
    if (kind === 'key') return { command: 'result', id };
    return isAdministered ? administered('admin leases show', diagnosis) : undefined;
  },
  poison: (diagnosis, { isAdministered }) =>
    isAdministered ? administered('admin history', diagnosis) : undefined,
  never_seen: (diagnosis, { meant: [first], isAdministered, kind }) => {
    const { sighting } = diagnosis.facts;
    if (first !== undefined) {
      return { command: 'why', id: first, flags: kind === undefined ? [] : ['--kind', kind] };
    }
    // Who has misspelt it is not to take it.
    return isAdministered
      ? { command: 'admin leases list', flags: ['--kind', KINDS[sighting.kind]] }
      : { command: 'ls' };
  },
  unreachable: (_, { stored }) => ({ command: 'doctor', id: stored }),
  unknown: ({ facts: { sighting, held } }) => {
    const { id } = sighting;
    if (sighting.kind === 'runner_job') return held && { command: 'runner-jobs ping', id };
    return held ? { command: 'jobs heartbeat', id } : { command: 'jobs list' };
  },
};
