/** Parts of names whose values are secrets, in names as `plain` makes them. */
const SECRET =
  /token|secret|passw|passphrase|passcode|apikey|(access|auth|client|encryption|master|private|secret|session|shared|signing|subscription)key|authorization|cookie|credential|assertion|jwt|leaseid|signature|session(id)?$|(auth|authorization|device|user)code$|codeverifier|connectionstring/;
/** Names that are secret as a whole, but not as a part of longer ones, e.g. of `acknowledged`. */
const WHOLE = /^(x?auth|ack|ackid|bearer|handle|otp|pin|pwd|sid|sig)$/;
/** What is told about a secret, and what is called a token without being one. */
const HARMLESS =
  /^(x?fencingtoken|(next|continuation)pagetoken|wwwauthenticate|proxyauthenticate)$|(type|uri|url|endpoint|expires|expiry|expire[sd]?(in|at|on)|expiration|lifetime|count|limit|method|methods)$/;

/** As it is however one writes it: `accessToken`, `Access-Token` and `access_token` are the same. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** Whether what has this name, a header or a field, is a secret. */
export function isSecretName(name: string): boolean {
  const it = plain(name);
  return WHOLE.test(it) || (SECRET.test(it) && !HARMLESS.test(it));
}

/** Whether a query or form parameter is: there a `code` gets tokens, and is no error's code. */
export function isSecretParameter(name: string): boolean {
  return isSecretName(name) || plain(name) === 'code';
}
