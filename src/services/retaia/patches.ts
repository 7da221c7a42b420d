import type { SubmitResult } from './wire.ts';

export const PATCHES = ['facts_patch', 'derived_patch', 'transcript_patch'] as const;
export type PatchName = (typeof PATCHES)[number];

/** The patch that a type of job owns; undefined for types that are not known here: they own any. */
export function patchOf(jobType: string): PatchName | undefined {
  if (jobType === 'extract_facts') return 'facts_patch';
  if (jobType === 'transcribe_audio') return 'transcript_patch';
  return jobType.startsWith('generate_') ? 'derived_patch' : undefined;
}

/** A patch in the result that the type of job does not own. */
export function foreignPatch(jobType: string, result: SubmitResult): PatchName | undefined {
  const own = patchOf(jobType);
  return own && PATCHES.find((patch) => patch !== own && result[patch] !== undefined);
}
