import { Failure } from '../domain/failure.ts';
import { didYouMean, sentences } from '../domain/nearest.ts';
import { LOCAL } from './profile.ts';

/*
 * Why a name will not do: there is no profile of it, or there is one already.
 */

/** @param known the names that there are */
export async function noSuchProfile(name: string, known: readonly string[]): Promise<Failure> {
  const meant = await didYouMean(name, [LOCAL, ...known]);
  return new Failure('usage', `There is no profile ${name}.`, {
    hint: sentences(
      meant,
      'See those there are with leasectl profile list, or make it with leasectl profile add.',
    ),
  });
}

export function nameTaken(name: string): Failure {
  return new Failure('usage', `There is a profile ${name} already.`, {
    hint: `Change it with leasectl profile edit ${name}, or take another name.`,
  });
}

/** The same of several that were to be added at once. */
export function namesTaken(names: readonly string[]): Failure {
  const [are, them] = names.length > 1 ? ['are profiles', 'them'] : ['is a profile', 'it'];
  return new Failure('usage', `There ${are} ${names.join(', ')} already.`, {
    hint: `To leave ${them} alone: --skip-existing; or rename ${them} first: leasectl profile rename`,
  });
}
