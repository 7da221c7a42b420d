import { about, command, type Finding, type Mend } from './finding.ts';
import type { Shown } from './route.ts';
import type { Subject } from './subject.ts';

const DAY = 24 * 3_600_000;
/** What ends in fewer days is to be renewed. */
const SOON = 14;

/** How long a certificate lasts: in how many days it ends, and whether that is soon; for people. */
export function timeLeft(end: Date, now: number) {
  const left = end.getTime() - now;
  const days = Math.floor(left / DAY);
  const day = end.toISOString().slice(0, 10);
  return {
    isOver: left < 0,
    isSoon: days < SOON,
    words: left < 0 ? `expired on ${day}` : `is valid until ${day}, ${days} days more`,
    measured: { expires_at: end.toISOString() },
  };
}

/** @param now milliseconds since 1970 */
export function judgeCertificate(subject: Subject, shown: Shown, now: number): Finding {
  const certificate = about('certificate', subject.name);
  const { issuer, end, problem } = shown;
  const { isOver, isSoon, words, measured } = timeLeft(end, now);
  const renewing = { advice: 'Whoever runs the service has to renew it.' };
  if (isOver) return certificate.fail(`it ${words}, and is of ${issuer}`, renewing, measured);
  if (problem !== undefined) {
    const detail = `${reasonOf(problem)} (${problem}), of ${issuer}`;
    return certificate.fail(detail, mendOf(problem, subject), measured);
  }
  const detail = `it ${words}, and is of ${issuer}`;
  return isSoon ? certificate.warn(detail, renewing, measured) : certificate.ok(detail, measured);
}

const WRONG_HOST = 'ERR_TLS_CERT_ALTNAME_INVALID';
const NOT_YET = 'CERT_NOT_YET_VALID';

function reasonOf(problem: string): string {
  if (problem === WRONG_HOST) return 'it is for another host';
  if (problem === NOT_YET) return 'it is not valid yet: is the clock right?';
  return 'no authority that is trusted here signed it';
}

function mendOf(problem: string, { profile }: Subject): Mend {
  if (problem === NOT_YET) return { advice: "Set this machine's clock, or wait." };
  if (profile === undefined) {
    return { advice: 'Check LEASECTL_URL; NODE_EXTRA_CA_CERTS=FILE names authorities to trust.' };
  }
  return problem === WRONG_HOST
    ? command('leasectl', 'profile', 'show', profile)
    : command('leasectl', 'profile', 'edit', profile, '--ca-file', 'FILE');
}

/** @param why it does not come about */
export function noTls({ name, profile }: Subject, why: string): Finding {
  const mend: Mend =
    profile === undefined
      ? { advice: 'Check LEASECTL_URL, and its port.' }
      : command('leasectl', 'profile', 'show', profile);
  return about('certificate', name).fail(`there is no TLS to be had: ${why}`, mend);
}
