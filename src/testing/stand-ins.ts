import type { Project } from '../project/load.ts';

/** The project with tables of its own for the sources that somebody else makes: an engine in memory has none of those. */
export function withStandIns(project: Project): Project {
  const sources = Object.entries(project.manifest.sources).map(
    ([id, source]) => [id, { ...source, config: { ...source.config, existing: false } }] as const,
  );
  return { ...project, manifest: { ...project.manifest, sources: Object.fromEntries(sources) } };
}
