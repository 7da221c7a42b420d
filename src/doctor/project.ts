import { parseDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { LOCAL, SERVICE_NAMES, type ServiceName, serves } from '../profiles/profile.ts';
import type { Project } from '../profiles/project.ts';
import { type About, about, command, type Finding } from './finding.ts';
import type { DoctorHost } from './host.ts';

/** Whether the project's file can be read, and names profiles that there are; nothing without one. */
export async function checkProject(host: DoctorHost): Promise<Finding[]> {
  const subject = about('project');
  let project: Project | undefined;
  try {
    project = await host.context.project();
  } catch (error) {
    return [subject.failed(error)];
  }
  if (!project) return [];
  const problems = [
    ...(await profileProblems(host, subject, project)),
    ...ttlProblems(subject, project),
  ];
  return problems.length > 0 ? problems : [subject.ok(project.file)];
}

async function profileProblems(
  { context: { profiles } }: DoctorHost,
  subject: About,
  project: Project,
): Promise<Finding[]> {
  const there = await profiles.names();
  const named = SERVICE_NAMES.map((service) => ({ service, name: project.profiles?.[service] }));
  const found = named.map(async ({ service, name }) => {
    if (name === undefined || name === LOCAL) return [];
    if (!there.includes(name)) return [subject.fail(...missing(project, name, service))];
    // One that is broken is told of as a profile.
    const profile = await profiles.get(name).catch(() => undefined);
    if (!profile || serves(profile.service, service)) return [];
    const detail = `${project.file}: profile ${name} is for ${profile.service}, and not for ${service}`;
    return [subject.fail(detail, { advice: `Name one there that is for ${service}.` })];
  });
  return (await Promise.all(found)).flat();
}

function missing({ file }: Project, name: string, service: ServiceName) {
  const add = command('leasectl', 'profile', 'add', name, '--service', service, '--token-stdin');
  return [`${file} names profile ${name}, which is not there`, add] as const;
}

function ttlProblems(subject: About, { file, ttl = {} }: Project): Finding[] {
  return Object.entries(ttl).flatMap(([name, value]) => {
    try {
      parseDuration(value, `The ttl of ${name} in ${file}`);
      return [];
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [subject.failed(error)];
    }
  });
}
