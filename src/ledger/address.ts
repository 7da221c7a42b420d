/** What a handle is for: the same id elsewhere is another lease. */
export interface LeaseAddress {
  readonly service: string;
  readonly profile: string;
  /** The service's base URL, or the embedded service's database file. */
  readonly location: string;
  readonly id: string;
}

export const ADDRESS = 'service = ? AND profile = ? AND location = ? AND id = ?';

/** For what has a name that nobody else knows: its profile may have got another one meanwhile. */
export const PLACE = 'service = ? AND location = ? AND id = ?';

/** An address as the parameters of {@link PLACE}. */
export function place({ service, location, id }: LeaseAddress): string[] {
  return [service, location, id];
}

/** An address as the parameters of {@link ADDRESS}. */
export function key({ service, profile, location, id }: LeaseAddress): string[] {
  return [service, profile, location, id];
}
