import type { Context } from './context.ts';
import { Failure } from './domain/failure.ts';
import { type Credential, secretOf } from './profiles/profile.ts';
import type { Secret } from './profiles/resolve.ts';
import type { StoredSecret } from './secrets/secret-store.ts';

type Stored = Extract<Secret, { readonly stored: StoredSecret }>;

/**
 * Reads a secret anew that was refused: its command may print another one by now, and another one may
 * have been stored.
 *
 * @param addressee whom it is sent to, and how
 * @param most milliseconds that this may take
 * @returns undefined where the profile has none for this addressee any more, or it was not to be had in
 *   time: then all that is known is that the service refused the first
 * @throws Failure as `Context.readSecret`
 */
export async function readAgain(
  context: Context,
  secret: Stored,
  addressee: Pick<Credential, 'type' | 'origin'>,
  most: number,
): Promise<string | undefined> {
  const stored = await storedNow(context, secret, addressee);
  if (stored === undefined) return undefined;
  try {
    return await context.readSecret({ stored, profile: secret.profile }, most);
  } catch (error) {
    if (error instanceof Failure && error.code === 'unavailable') return undefined;
    throw error;
  }
}

async function storedNow(
  { profiles }: Context,
  { stored, profile }: Stored,
  { type, origin }: Pick<Credential, 'type' | 'origin'>,
): Promise<StoredSecret | undefined> {
  const now = (await profiles.all()).find(({ name }) => name === profile);
  // It may have another name by now.
  if (now === undefined) return stored;
  const credential = now.profile?.credential;
  const isForAddressee = credential?.type === type && credential.origin === origin;
  return isForAddressee ? secretOf(credential) : undefined;
}
